#include "store/random.hpp"

#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <stdexcept>

namespace docmap::store {

void fill_random(std::span<unsigned char> out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
        throw std::runtime_error("the random number generator failed");
}

std::string random_id(std::string_view prefix) {
    static constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    static constexpr std::size_t length = 12;
    // Bytes from here on would make some characters likelier than others.
    static constexpr std::size_t first_unfair = 256 / alphabet.size() * alphabet.size();
    std::string id(prefix);
    std::array<unsigned char, 16> bytes{};
    while (true) {
        fill_random(bytes);
        for (const unsigned char byte : bytes) {
            if (id.size() == prefix.size() + length) return id;
            if (byte < first_unfair) id += alphabet[byte % alphabet.size()];
        }
    }
}

} // namespace docmap::store
