#include "core/address_policy.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace docmap::core {
namespace {

using base::IpAddress;
using base::IpNetwork;

/// Where an IPv6 address of a block carries an IPv4 address.
enum class Embedded {
    none,
    mapped,     ///< last four bytes; the kernel connects over IPv4
    translated, ///< last four bytes; a NAT64 connects over IPv4
    compatible, ///< last four bytes
    six_to_four ///< bytes 2 to 5
};

/// One row of the registries. `kind` completes "… is …"; empty: globally reachable.
struct Row {
    std::string_view block;
    std::string_view kind;
    Embedded embedded = Embedded::none;
};

// The first row that contains an address decides, so exceptions stand above the block they are taken from.
// https://www.iana.org/assignments/iana-ipv4-special-registry, .../multicast-addresses
constexpr auto ipv4_rows = std::to_array<Row>({
    {"0.0.0.0/8", "an address of \"this network\""},
    {"10.0.0.0/8", "a private address"},
    {"100.64.0.0/10", "a shared address (carrier-grade NAT)"},
    {"127.0.0.0/8", "a loopback address"},
    {"169.254.0.0/16", "a link-local address"},
    {"172.16.0.0/12", "a private address"},
    {"192.0.0.9/32", ""},  // Port Control Protocol anycast
    {"192.0.0.10/32", ""}, // TURN anycast
    {"192.0.0.0/24", "an address for protocol assignments"},
    {"192.0.2.0/24", "a documentation address"},
    {"192.88.99.0/24", "an address of 6to4 relays"},
    {"192.168.0.0/16", "a private address"},
    {"198.18.0.0/15", "a benchmarking address"},
    {"198.51.100.0/24", "a documentation address"},
    {"203.0.113.0/24", "a documentation address"},
    {"224.0.0.0/4", "a multicast address"},
    {"255.255.255.255/32", "the broadcast address"},
    {"240.0.0.0/4", "a reserved address"},
});

// https://www.iana.org/assignments/iana-ipv6-special-registry, .../ipv6-address-space
constexpr auto ipv6_rows = std::to_array<Row>({
    {"::1/128", "the loopback address"},
    {"::/128", "the unspecified address"},
    {"::ffff:0:0/96", "an IPv4-mapped address", Embedded::mapped},
    {"::/96", "an IPv4-compatible address", Embedded::compatible},
    {"64:ff9b::/96", "", Embedded::translated},
    {"64:ff9b:1::/48",
     "a local translation (NAT64) address"}, // where the IPv4 address lies in it is local, too
    {"100::/64", "a discard-only address"},
    {"100:0:0:1::/64", "a dummy address"},
    {"2001::/32", "a Teredo address"},
    {"2001:1::1/128", ""}, // Port Control Protocol anycast
    {"2001:1::2/128", ""}, // TURN anycast
    {"2001:1::3/128", ""}, // DNS-SD registration anycast
    {"2001:2::/48", "a benchmarking address"},
    {"2001:3::/32", ""},     // AMT
    {"2001:4:112::/48", ""}, // AS112
    {"2001:10::/28", "an ORCHID address"},
    {"2001:20::/28", ""}, // ORCHIDv2
    {"2001:30::/28", ""}, // drone remote identification
    {"2001::/23", "an address for protocol assignments"},
    {"2001:db8::/32", "a documentation address"},
    {"2002::/16", "a 6to4 address", Embedded::six_to_four},
    {"3fff::/20", "a documentation address"},
    {"2000::/3", ""}, // global unicast
    {"5f00::/16", "a segment routing (SRv6) address"},
    {"fc00::/7", "a private (unique local) address"},
    {"fe80::/10", "a link-local address"},
    {"fec0::/10", "a private (site-local) address"},
    {"ff00::/8", "a multicast address"},
    {"::/0", "a reserved address"},
});

struct Rule {
    IpNetwork block;
    std::string_view kind;
    Embedded embedded;
};

std::vector<Rule> make_rules() {
    std::vector<Rule> rules;
    const auto add = [&](const auto& rows) {
        for (const Row& row : rows)
            rules.push_back({IpNetwork::from_string(row.block).value(), row.kind, row.embedded});
    };
    add(ipv4_rows);
    add(ipv6_rows);
    return rules;
}

/// The row that decides about `address`; none for the IPv4 addresses that no row names.
const Rule* find_rule(const IpAddress& address) {
    static const std::vector<Rule> rules = make_rules();
    const auto rule = std::ranges::find_if(rules, [&](const Rule& r) { return r.block.contains(address); });
    return rule == rules.end() ? nullptr : &*rule;
}

std::optional<IpAddress> embedded_address(const IpAddress& address, Embedded embedded) {
    switch (embedded) {
    case Embedded::none:
        return std::nullopt;
    case Embedded::six_to_four:
        return address.v4_at(2);
    case Embedded::mapped:
    case Embedded::translated:
    case Embedded::compatible:
        break;
    }
    return address.v4_at(12);
}

/// True where a connection to the outer address ends at the IPv4 address inside.
bool leads_to_embedded(Embedded embedded) {
    return embedded == Embedded::mapped || embedded == Embedded::translated;
}

} // namespace

base::Result<AddressPolicy> AddressPolicy::from_cidrs(const std::vector<std::string>& cidrs) {
    std::vector<IpNetwork> networks;
    networks.reserve(cidrs.size());
    for (const std::string& cidr : cidrs) {
        base::Result<IpNetwork> network = IpNetwork::from_string(cidr);
        if (!network) return network.error();
        networks.push_back(*network);
    }
    return AddressPolicy(std::move(networks));
}

bool AddressPolicy::is_allowed(const IpAddress& address) const {
    return std::ranges::any_of(allowed_, [&](const IpNetwork& network) { return network.contains(address); });
}

std::optional<std::string> AddressPolicy::refusal(const IpAddress& address) const {
    if (is_allowed(address)) return std::nullopt;
    const Rule* const rule = find_rule(address);
    if (rule == nullptr) return std::nullopt;

    const std::string_view kind = rule->kind;
    const std::optional<IpAddress> inner = embedded_address(address, rule->embedded);
    if (!inner) {
        if (kind.empty()) return std::nullopt;
        return address.to_string() + " is " + std::string(kind);
    }

    if (leads_to_embedded(rule->embedded) && is_allowed(*inner)) return std::nullopt;
    const Rule* const inner_rule = find_rule(*inner);
    const std::string_view inner_kind = inner_rule == nullptr ? std::string_view() : inner_rule->kind;
    if (kind.empty() && inner_kind.empty()) return std::nullopt;

    std::string reason = address.to_string();
    reason += kind.empty() ? " leads to " : " is " + std::string(kind) + " of ";
    reason += inner->to_string();
    if (!inner_kind.empty()) reason += ", which is " + std::string(inner_kind);
    return reason;
}

} // namespace docmap::core
