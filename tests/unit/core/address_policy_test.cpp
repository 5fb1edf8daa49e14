#include "core/address_policy.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace docmap::core {
namespace {

std::string refusal(std::string_view address, const std::vector<std::string>& allowed = {}) {
    const AddressPolicy policy = AddressPolicy::from_cidrs(allowed).value();
    return policy.refusal(base::IpAddress::from_string(address).value()).value_or("");
}

/// One row of a registry: its first and last address are refused as `kind`; the addresses just outside are
/// not, where they are given.
struct Block {
    std::string_view first;
    std::string_view last;
    std::string_view kind;
    std::string_view before; ///< empty: belongs to another row
    std::string_view after;
};

void expect_refused(const Block& block) {
    for (const std::string_view address : {block.first, block.last})
        EXPECT_EQ(refusal(address), std::string(address) + " is " + std::string(block.kind));
    for (const std::string_view address : {block.before, block.after}) {
        if (address.empty()) continue;
        EXPECT_EQ(refusal(address), "") << "outside the block of " << block.first;
    }
}

TEST(AddressPolicy, RefusesTheIpv4Registrys) {
    for (const Block& block : std::vector<Block>{
             {"0.0.0.0", "0.255.255.255", "an address of \"this network\"", "", "1.0.0.0"},
             {"10.0.0.0", "10.255.255.255", "a private address", "9.255.255.255", "11.0.0.0"},
             {"100.64.0.0", "100.127.255.255", "a shared address (carrier-grade NAT)", "100.63.255.255",
              "100.128.0.0"},
             {"127.0.0.0", "127.255.255.255", "a loopback address", "126.255.255.255", "128.0.0.0"},
             {"169.254.0.0", "169.254.255.255", "a link-local address", "169.253.255.255", "169.255.0.0"},
             {"172.16.0.0", "172.31.255.255", "a private address", "172.15.255.255", "172.32.0.0"},
             {"192.0.0.0", "192.0.0.8", "an address for protocol assignments", "191.255.255.255",
              "192.0.0.9"},
             {"192.0.0.11", "192.0.0.255", "an address for protocol assignments", "192.0.0.10", "192.0.1.0"},
             {"192.0.0.170", "192.0.0.171", "an address for protocol assignments", "", ""},
             {"192.0.2.0", "192.0.2.255", "a documentation address", "192.0.1.255", "192.0.3.0"},
             {"192.88.99.0", "192.88.99.255", "an address of 6to4 relays", "192.88.98.255", "192.88.100.0"},
             {"192.168.0.0", "192.168.255.255", "a private address", "192.167.255.255", "192.169.0.0"},
             {"198.18.0.0", "198.19.255.255", "a benchmarking address", "198.17.255.255", "198.20.0.0"},
             {"198.51.100.0", "198.51.100.255", "a documentation address", "198.51.99.255", "198.51.101.0"},
             {"203.0.113.0", "203.0.113.255", "a documentation address", "203.0.112.255", "203.0.114.0"},
             {"224.0.0.0", "239.255.255.255", "a multicast address", "223.255.255.255", ""},
             {"240.0.0.0", "255.255.255.254", "a reserved address", "", ""},
             {"255.255.255.255", "255.255.255.255", "the broadcast address", "", ""},
         })
        expect_refused(block);
}

TEST(AddressPolicy, RefusesTheIpv6Registrys) {
    for (const Block& block : std::vector<Block>{
             {"::1", "::1", "the loopback address", "", ""},
             {"::", "::", "the unspecified address", "", ""},
             {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "a local translation (NAT64) address", "",
              ""},
             {"100::", "100::ffff:ffff:ffff:ffff", "a discard-only address", "", ""},
             {"100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", "a dummy address", "", ""},
             {"2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "a Teredo address",
              "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
             {"2001:1::", "2001:1::", "an address for protocol assignments", "", "2001:1::1"},
             {"2001:1::4", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", "an address for protocol assignments",
              "2001:1::3", ""},
             {"2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "a benchmarking address", "", ""},
             {"2001:2:1::", "2001:2:ffff:ffff:ffff:ffff:ffff:ffff", "an address for protocol assignments", "",
              "2001:3::"},
             {"2001:4::", "2001:4:111:ffff:ffff:ffff:ffff:ffff", "an address for protocol assignments",
              "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", "2001:4:112::"},
             {"2001:4:113::", "2001:f:ffff:ffff:ffff:ffff:ffff:ffff", "an address for protocol assignments",
              "2001:4:112:ffff:ffff:ffff:ffff:ffff", ""},
             {"2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", "an ORCHID address", "", "2001:20::"},
             {"2001:40::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "an address for protocol assignments",
              "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
             {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "a documentation address",
              "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
             {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "a documentation address",
              "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
             {"5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a segment routing (SRv6) address", "",
              ""},
             {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a private (unique local) address", "",
              ""},
             {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a link-local address", "", ""},
             {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a private (site-local) address", "", ""},
             {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a multicast address", "", ""},
         })
        expect_refused(block);
}

// Only 2000::/3 is global unicast space; everything else is reserved, also beside the registered blocks.
TEST(AddressPolicy, RefusesIpv6OutsideTheGlobalUnicastSpace) {
    for (const std::string address :
         {"::1:0:0:0", "::fffe:7f00:1", "::ffff:0:7f00:1", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff",
          "64:ff9b::1:0:0", "64:ff9b:2::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "100:0:0:2::",
          "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          "5f01::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          "fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
        EXPECT_EQ(refusal(address), address + " is a reserved address");
}

TEST(AddressPolicy, LetsGloballyReachableAddressesThrough) {
    for (const std::string_view address :
         {"1.1.1.1", "8.8.8.8", "192.31.196.1", "192.52.193.1", "192.175.48.1", "192.0.0.9", "192.0.0.10",
          "2606:4700::1111", "2000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1::1", "2001:1::2",
          "2001:1::3", "2001:3::1", "2001:4:112::1", "2001:20::1", "2001:30::1", "2620:4f:8000::1",
          "2001:4860::8888"})
        EXPECT_EQ(refusal(address), "");
}

TEST(AddressPolicy, NamesBothAddressesOfEmbeddedForms) {
    EXPECT_EQ(refusal("::ffff:10.0.0.7"),
              "::ffff:10.0.0.7 is an IPv4-mapped address of 10.0.0.7, which is a private address");
    EXPECT_EQ(refusal("::ffff:8.8.8.8"), "::ffff:8.8.8.8 is an IPv4-mapped address of 8.8.8.8");
    EXPECT_EQ(refusal("::127.0.0.1"),
              "::127.0.0.1 is an IPv4-compatible address of 127.0.0.1, which is a loopback address");
    EXPECT_EQ(refusal("64:ff9b::a9fe:a9fe"),
              "64:ff9b::a9fe:a9fe leads to 169.254.169.254, which is a link-local address");
    EXPECT_EQ(refusal("2002:c0a8:101::1"),
              "2002:c0a8:101::1 is a 6to4 address of 192.168.1.1, which is a private address");
    EXPECT_EQ(refusal("2002:808:808::"), "2002:808:808:: is a 6to4 address of 8.8.8.8");
    EXPECT_EQ(refusal("2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
              "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff is a 6to4 address of 255.255.255.255, which is the "
              "broadcast "
              "address");
    EXPECT_EQ(refusal("2003::"), "");
}

// Hosts in IPv6-only networks reach the IPv4 internet through it (RFC 6052).
TEST(AddressPolicy, LetsTranslationToReachableAddressesThrough) {
    EXPECT_EQ(refusal("64:ff9b::808:808"), "");
    EXPECT_EQ(refusal("64:ff9b::c000:9"), "");
}

TEST(AddressPolicy, ExemptsAllowedNetworks) {
    const std::vector<std::string> allowed = {"10.1.0.0/16", "127.0.0.1", "fd00:1::/32"};
    EXPECT_EQ(refusal("10.1.255.255", allowed), "");
    EXPECT_EQ(refusal("10.2.0.0", allowed), "10.2.0.0 is a private address");
    EXPECT_EQ(refusal("127.0.0.1", allowed), "");
    EXPECT_EQ(refusal("127.0.0.2", allowed), "127.0.0.2 is a loopback address");
    EXPECT_EQ(refusal("fd00:1::1", allowed), "");
    EXPECT_EQ(refusal("fd00:2::1", allowed), "fd00:2::1 is a private (unique local) address");
    EXPECT_EQ(refusal("::1", {"::/0"}), "");
    EXPECT_EQ(refusal("::1", {"0.0.0.0/0"}), "::1 is the loopback address");
}

TEST(AddressPolicy, ExemptsFormsThatLeadToAllowedNetworks) {
    EXPECT_EQ(refusal("::ffff:10.1.0.1", {"10.1.0.0/16"}), "");
    EXPECT_EQ(refusal("64:ff9b::a01:1", {"10.1.0.0/16"}), "");
    EXPECT_NE(refusal("::10.1.0.1", {"10.1.0.0/16"}), "");
    EXPECT_NE(refusal("2002:a01:1::1", {"10.1.0.0/16"}), "");
    EXPECT_EQ(refusal("2002:a01:1::1", {"2002::/16"}), "");
}

TEST(AddressPolicy, NamesTheNetworkThatIsNone) {
    const auto policy = AddressPolicy::from_cidrs({"10.0.0.0/8", "intranet"});
    ASSERT_FALSE(policy);
    EXPECT_TRUE(policy.error().message.starts_with("\"intranet\" is not a CIDR block"));
}

TEST(AddressPolicy, ExemptsNothingByDefault) {
    EXPECT_TRUE(AddressPolicy().refusal(base::IpAddress::v4({127, 0, 0, 1})));
}

} // namespace
} // namespace docmap::core
