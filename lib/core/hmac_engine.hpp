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

/// `one_by_one` computes what is too long. Requires has_multi_buffer_hmac().
std::unique_ptr<HmacSha256::Engine> make_multi_buffer_hmac(std::unique_ptr<HmacSha256::Engine> one_by_one);

/// Writes the states of SHA-256 after the two blocks that a key begins HMAC's inner and outer message with.
/// Requires has_multi_buffer_hmac(). Any thread.
void write_states(std::span<const unsigned char, HmacKey::max_size> padded_key,
                  std::span<unsigned char, HmacKey::max_size> states);

} // namespace docmap::core
