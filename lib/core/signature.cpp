#include "core/signature.hpp"

#include "base/invariant.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>

namespace docmap::core {

namespace {

constexpr std::size_t digest_size = 32;

using Digest = std::array<unsigned char, digest_size>;

void check(int result) {
    if (result != 1) throw std::runtime_error("OpenSSL could not compute an HMAC-SHA256");
}

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// Fetched once per process: a fetch takes a lock and costs more than a signature.
EVP_MAC* hmac() {
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    return algorithm;
}

struct FreeContext {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

Context make_context() {
    Context context(EVP_MAC_CTX_new(hmac()));
    if (!context) throw std::runtime_error("OpenSSL has no HMAC");
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    check(EVP_MAC_CTX_set_params(context.get(), parameters));
    return context;
}

/// Computes the HMAC of the joined parts.
Digest digest_of(std::span<const unsigned char> key, std::initializer_list<std::string_view> parts) {
    thread_local const Context context = make_context();
    Digest digest;
    std::size_t size = 0;
    check(EVP_MAC_init(context.get(), key.data(), key.size(), nullptr));
    for (const std::string_view part : parts)
        check(EVP_MAC_update(context.get(), bytes_of(part), part.size()));
    check(EVP_MAC_final(context.get(), digest.data(), &size, digest.size()));
    return digest;
}

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

} // namespace

Signer::Signer(const SigningSecret& secret) {
    const std::string& text = secret.text;
    if (text.size() != docmap_key_.size() || !std::all_of(text.begin(), text.end(), is_hex_digit))
        throw std::invalid_argument("a signing secret must be 64 hexadecimal characters");
    std::copy(text.begin(), text.end(), docmap_key_.begin());
    const int decoded = EVP_DecodeBlock(standard_key_.data(), bytes_of(text), static_cast<int>(text.size()));
    base::require(decoded == static_cast<int>(standard_key_.size()), "hexadecimal digits are base64 as well");
}

Signer::~Signer() {
    OPENSSL_cleanse(docmap_key_.data(), docmap_key_.size());
    OPENSSL_cleanse(standard_key_.data(), standard_key_.size());
}

void Signer::write_docmap(std::string_view body, std::span<char, docmap_size> out) const {
    static constexpr char hex[] = "0123456789abcdef";
    static constexpr std::string_view scheme = "sha256=";
    const Digest digest = digest_of(docmap_key_, {body});
    char* end = std::copy(scheme.begin(), scheme.end(), out.data());
    for (const unsigned char byte : digest) {
        *end++ = hex[byte >> 4U];
        *end++ = hex[byte & 15U];
    }
}

void Signer::write_standard(std::string_view id, std::string_view timestamp, std::string_view body,
                            std::span<char, standard_size> out) const {
    static constexpr std::string_view scheme = "v1,";
    const Digest digest = digest_of(standard_key_, {id, ".", timestamp, ".", body});
    // EVP_EncodeBlock ends its text with a zero byte, for which `out` has no room.
    std::array<unsigned char, standard_size - scheme.size() + 1> base64;
    EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
    char* const end = std::copy(scheme.begin(), scheme.end(), out.data());
    std::memcpy(end, base64.data(), base64.size() - 1);
}

} // namespace docmap::core
