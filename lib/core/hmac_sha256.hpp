// HMAC-SHA256 (RFC 2104) of several messages at once.
// On x86-64, Intel's Multi-Buffer library hashes them side by side: up to three times as fast as one after
// the other. Elsewhere, and where it cannot use the processor, OpenSSL does it. Both give the same digests.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace docmap::core {

/// A key, prepared for either library. Wiped at the end.
class HmacKey {
  public:
    static constexpr std::size_t max_size = 64;

    /// `key`: 1 to `max_size` bytes.
    explicit HmacKey(std::span<const unsigned char> key);
    ~HmacKey();

    HmacKey(const HmacKey&) = delete;
    HmacKey& operator=(const HmacKey&) = delete;

    /// The key, filled up with zeros, which makes no other key of it.
    const std::array<unsigned char, max_size>& padded() const { return padded_; }

    /// SHA-256's states after the key's inner and its outer block; where OpenSSL is used: unset.
    const std::array<unsigned char, max_size>& states() const { return states_; }

  private:
    alignas(16) std::array<unsigned char, max_size> states_{};
    std::array<unsigned char, max_size> padded_{};
};

using HmacDigest = std::array<unsigned char, 32>;

struct HmacJob {
    const HmacKey* key = nullptr;
    std::string_view prefix;      ///< what the message begins with where it is in two pieces; else empty
    std::string_view message;     ///< the message, or the rest of it; not empty
    HmacDigest* digest = nullptr; ///< where the result goes
};

/// Computes on the caller's thread. Each thread has its own.
class HmacSha256 {
  public:
    /// How many messages are computed in one go, at most: more at once are no faster.
    static constexpr std::size_t width = 16;
    /// Longer messages, and those in two pieces, are computed one by one.
    static constexpr std::size_t longest_at_once = 8192;

    class Engine;

    /// The fastest that this machine has.
    HmacSha256();
    explicit HmacSha256(std::unique_ptr<Engine> engine);
    ~HmacSha256();

    /// Sets every digest. Throws std::runtime_error where the library fails.
    void compute(std::span<const HmacJob> jobs);

  private:
    std::unique_ptr<Engine> engine_;
};

} // namespace docmap::core
