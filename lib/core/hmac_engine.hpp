// What computes for HmacSha256: OpenSSL, or Intel's Multi-Buffer library with what a processor has for it.
#pragma once

#include "core/hmac_sha256.hpp"

namespace docmap::core {

class HmacSha256::Engine {
  public:
    virtual ~Engine() = default;

    virtual void compute(std::span<const HmacJob> jobs) = 0;
};

/// Ways to hash several messages at once.
struct HmacWays {
    bool sha = false;    ///< SHA instructions: two at a time
    bool avx2 = false;   ///< eight at a time
    bool avx512 = false; ///< sixteen at a time

    bool any() const { return sha || avx2 || avx512; }
};

/// Those that the Multi-Buffer library was built in for, and that processor and system allow. Any thread.
HmacWays hmac_ways();

std::unique_ptr<HmacSha256::Engine> make_openssl_hmac();

/// Uses some of hmac_ways(), and OpenSSL for what none of them is good for. Throws std::runtime_error where
/// the library cannot be initialized.
std::unique_ptr<HmacSha256::Engine> make_multi_buffer_hmac(HmacWays ways);

/// Writes the states of SHA-256 after the two blocks that a key begins HMAC's inner and outer message with.
/// Requires that there is a way. Any thread.
void write_states(std::span<const unsigned char, HmacKey::max_size> padded_key,
                  std::span<unsigned char, HmacKey::max_size> states);

} // namespace docmap::core
