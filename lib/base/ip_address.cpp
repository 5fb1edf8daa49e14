#include "base/ip_address.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace docmap::base {
namespace {

/// True where the first `bits` bits of both are the same.
bool same_prefix(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right, unsigned bits) {
    const std::size_t whole_bytes = bits / 8;
    if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(whole_bytes), right.begin()))
        return false;
    const unsigned rest = bits % 8;
    if (rest == 0) return true;
    const unsigned mask = 0xffU << (8 - rest);
    return ((left[whole_bytes] ^ right[whole_bytes]) & mask & 0xffU) == 0;
}

/// True where no bit behind the first `bits` is set.
bool is_block_start(std::span<const std::uint8_t> bytes, unsigned bits) {
    for (std::size_t bit = bits; bit < bytes.size() * 8; ++bit)
        if ((bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) return false;
    return true;
}

Error not_a_network(std::string_view text, std::string_view reason) {
    return {"\"" + std::string(text) + "\" is not a CIDR block: " + std::string(reason)};
}

} // namespace

IpAddress IpAddress::v4(const V4Bytes& bytes) {
    IpAddress address;
    std::ranges::copy(bytes, address.bytes_.begin());
    return address;
}

IpAddress IpAddress::v6(const V6Bytes& bytes) {
    IpAddress address;
    address.bytes_ = bytes;
    address.size_ = 16;
    return address;
}

std::optional<IpAddress> IpAddress::from_string(std::string_view text) {
    const std::string terminated(text);
    if (terminated.find('\0') != std::string::npos) return std::nullopt;
    V4Bytes four{};
    if (inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return v4(four);
    V6Bytes sixteen{};
    if (inet_pton(AF_INET6, terminated.c_str(), sixteen.data()) == 1) return v6(sixteen);
    return std::nullopt;
}

IpAddress IpAddress::v4_at(std::size_t offset) const {
    require(offset + 4 <= size_, "an IPv4 address lies inside the address that holds it");
    V4Bytes four{};
    std::ranges::copy(bytes().subspan(offset, 4), four.begin());
    return v4(four);
}

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), static_cast<socklen_t>(text.size()));
    return text.data();
}

Result<IpNetwork> IpNetwork::from_string(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::optional<IpAddress> address = IpAddress::from_string(text.substr(0, slash));
    if (!address) return not_a_network(text, "write an address and a prefix length, such as \"10.0.0.0/8\"");

    const auto address_bits = static_cast<unsigned>(address->bytes().size() * 8);
    unsigned prefix_bits = address_bits;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix_bits);
        if (status != std::errc{} || end != digits.data() + digits.size() || prefix_bits > address_bits)
            return not_a_network(text, "the prefix length must be 0 to " + std::to_string(address_bits));
    }
    if (!is_block_start(address->bytes(), prefix_bits))
        return not_a_network(text,
                             "the address has bits set behind the first " + std::to_string(prefix_bits));
    return IpNetwork(*address, prefix_bits);
}

bool IpNetwork::contains(const IpAddress& address) const {
    return address.is_v4() == address_.is_v4() &&
           same_prefix(address.bytes(), address_.bytes(), prefix_bits_);
}

} // namespace docmap::base
