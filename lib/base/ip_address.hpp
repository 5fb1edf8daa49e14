// IP addresses and CIDR blocks as plain values: no socket behind them.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace docmap::base {

/// An IPv4 or IPv6 address, in network byte order. A zone (`%eth0`) is not part of it.
class IpAddress {
  public:
    using V4Bytes = std::array<std::uint8_t, 4>;
    using V6Bytes = std::array<std::uint8_t, 16>;

    static IpAddress v4(const V4Bytes& bytes);
    static IpAddress v6(const V6Bytes& bytes);

    /// Reads dotted decimal (four numbers without leading zeros) or IPv6 text without brackets.
    static std::optional<IpAddress> from_string(std::string_view text);

    bool is_v4() const { return size_ == 4; }
    bool is_v6() const { return size_ == 16; }

    /// 4 or 16 bytes; valid as long as this value.
    std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }

    /// The IPv4 address in the four bytes from `offset` on.
    IpAddress v4_at(std::size_t offset) const;

    /// The usual text; IPv6 as RFC 5952 has it.
    std::string to_string() const;

    friend bool operator==(const IpAddress&, const IpAddress&) = default;

  private:
    IpAddress() = default;

    V6Bytes bytes_{};
    std::uint8_t size_ = 4;
};

/// A CIDR block, such as `10.0.0.0/8` or `fd00::/8`.
class IpNetwork {
  public:
    /// An address alone is a block of one. An address with bits set behind the prefix is refused, as it is
    /// most likely a slip.
    static Result<IpNetwork> from_string(std::string_view text);

    /// True where `address` is of the same family and lies inside.
    bool contains(const IpAddress& address) const;

  private:
    IpNetwork(const IpAddress& address, unsigned prefix_bits)
        : address_(address), prefix_bits_(prefix_bits) {}

    IpAddress address_;
    unsigned prefix_bits_;
};

} // namespace docmap::base
