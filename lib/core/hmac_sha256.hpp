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

enum class HmacLibrary { multi_buffer, openssl };

/// The one that is used on this machine. Any thread.
HmacLibrary hmac_library();

/// A key in the form its library takes. As secret as the key: wiped at the end.
class HmacKey {
  public:
    static constexpr std::size_t max_size = 64;

    /// `key`: 1 to `max_size` bytes.
    explicit HmacKey(std::span<const unsigned char> key, HmacLibrary library = hmac_library());
    ~HmacKey();

    HmacKey(const HmacKey&) = delete;
    HmacKey& operator=(const HmacKey&) = delete;

    /// multi_buffer: SHA-256's states after the key's inner and its outer block. openssl: the key, zeros
    /// after.
    const std::array<unsigned char, max_size>& prepared() const { return prepared_; }

  private:
    alignas(16) std::array<unsigned char, max_size> prepared_{};
};

using HmacDigest = std::array<unsigned char, 32>;

struct HmacJob {
    const HmacKey* key = nullptr; ///< made for the library that computes
    std::string_view message;     ///< not empty
    HmacDigest* digest = nullptr; ///< where the result goes
};

/// Computes on the caller's thread. Each thread has its own.
class HmacSha256 {
  public:
    /// From so many messages on the wider of the processor's ways is the faster one, and this is its width.
    static constexpr std::size_t wide_from = 12;
    static constexpr std::size_t width = 16;

    explicit HmacSha256(HmacLibrary library = hmac_library());
    ~HmacSha256();

    /// Sets every digest. Throws std::runtime_error where the library fails.
    void compute(std::span<const HmacJob> jobs);

    class Engine;

  private:
    std::unique_ptr<Engine> engine_;
};

} // namespace docmap::core
