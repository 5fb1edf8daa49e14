#include "core/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace docmap::core {

Sha256Digest sha256(std::string_view message) {
    Sha256Digest digest{};
    if (EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 failed in OpenSSL");
    return digest;
}

} // namespace docmap::core
