// What computes for HmacSha256: one of two libraries. For hmac_sha256.cpp alone.
#pragma once

#include "core/hmac_sha256.hpp"

namespace docmap::core {

class HmacSha256::Engine {
  public:
    virtual ~Engine() = default;

    virtual void compute(std::span<const HmacJob> jobs) = 0;
};

/// Whether Intel's Multi-Buffer library was built in and can use this processor.
bool has_multi_buffer_hmac();

/// Requires has_multi_buffer_hmac().
std::unique_ptr<HmacSha256::Engine> make_multi_buffer_hmac();

/// Writes the states of SHA-256 after the two blocks that a key begins HMAC's inner and outer message with.
/// `key` is filled up with zeros. Requires has_multi_buffer_hmac(). Any thread.
void prepare_multi_buffer_key(std::span<const unsigned char, HmacKey::max_size> key,
                              std::span<unsigned char, HmacKey::max_size> prepared);

} // namespace docmap::core
