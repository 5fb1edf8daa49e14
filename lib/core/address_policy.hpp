// Which addresses may be called. Asked about every resolved address before it is connected to.
// Immutable after construction; shared read-only by all threads.
#pragma once

#include "base/error.hpp"
#include "base/ip_address.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace docmap::core {

class AddressPolicy {
  public:
    /// `allowed` blocks may be called whatever they are.
    explicit AddressPolicy(std::vector<base::IpNetwork> allowed = {}) : allowed_(std::move(allowed)) {}

    /// From CIDR blocks as configured; the error names the one that is wrong.
    static base::Result<AddressPolicy> from_cidrs(const std::vector<std::string>& cidrs);

    /// Why `address` may not be called, such as `10.0.0.7 is a private address`; nothing where it may be.
    /// Refused is what the IANA special-purpose registries do not call globally reachable, multicast, and
    /// IPv6 outside the global unicast space. Forms that carry an IPv4 address are judged by that address as
    /// well.
    std::optional<std::string> refusal(const base::IpAddress& address) const;

  private:
    bool is_allowed(const base::IpAddress& address) const;

    std::vector<base::IpNetwork> allowed_;
};

} // namespace docmap::core
