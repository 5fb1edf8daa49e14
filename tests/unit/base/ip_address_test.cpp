#include "base/ip_address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::base {
namespace {

IpAddress address(std::string_view text) {
    return IpAddress::from_string(text).value();
}

bool contains(std::string_view network, std::string_view text) {
    return IpNetwork::from_string(network).value().contains(address(text));
}

std::string error_of(std::string_view network) {
    const auto result = IpNetwork::from_string(network);
    return result ? "" : result.error().message;
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
    EXPECT_EQ(address("203.0.113.7").to_string(), "203.0.113.7");
    EXPECT_TRUE(address("203.0.113.7").is_v4());
    EXPECT_EQ(address("2001:DB8:0:0::1").to_string(), "2001:db8::1");
    EXPECT_TRUE(address("::1").is_v6());
    EXPECT_EQ(address("::ffff:10.0.0.7").to_string(), "::ffff:10.0.0.7");
}

TEST(IpAddress, RefusesOtherText) {
    using namespace std::string_view_literals;
    for (const std::string_view text :
         {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "1.2.3.256"sv, "01.2.3.4"sv, "0x7f.0.0.1"sv, "2130706433"sv,
          "[::1]"sv, "fe80::1%eth0"sv, "1.2.3.4\0"sv, "host"sv})
        EXPECT_FALSE(IpAddress::from_string(text)) << text;
}

TEST(IpAddress, TakesAndGivesBytes) {
    EXPECT_EQ(IpAddress::v4({192, 0, 2, 1}), address("192.0.2.1"));
    EXPECT_EQ(IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}),
              address("2001:db8::1"));
    EXPECT_EQ(address("192.0.2.1").bytes().size(), 4U);
    EXPECT_EQ(address("::").bytes().size(), 16U);
    EXPECT_EQ(address("::ffff:10.0.0.7").v4_at(12), address("10.0.0.7"));
    EXPECT_NE(address("0.0.0.0"), address("::"));
}

TEST(IpNetwork, ContainsItsAddresses) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.255.255"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
    EXPECT_TRUE(contains("172.16.0.0/12", "172.31.255.255"));
    EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
    EXPECT_TRUE(contains("fe80::/10", "febf::1"));
    EXPECT_FALSE(contains("fe80::/10", "fec0::"));
    EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
    EXPECT_TRUE(contains("::/0", "ffff::"));
}

TEST(IpNetwork, DoesNotMixFamilies) {
    EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
    EXPECT_FALSE(contains("::/0", "127.0.0.1"));
}

TEST(IpNetwork, TakesAnAddressAloneAsABlockOfOne) {
    EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
    EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
    EXPECT_TRUE(contains("::1", "::1"));
}

TEST(IpNetwork, SaysWhyATextIsNone) {
    EXPECT_EQ(error_of("intranet"),
              "\"intranet\" is not a CIDR block: write an address and a prefix length, such as "
              "\"10.0.0.0/8\"");
    EXPECT_EQ(error_of("10.0.0.0/33"),
              "\"10.0.0.0/33\" is not a CIDR block: the prefix length must be 0 to 32");
    EXPECT_EQ(error_of("fd00::/129"),
              "\"fd00::/129\" is not a CIDR block: the prefix length must be 0 to 128");
    EXPECT_EQ(error_of("10.0.0.1/8"),
              "\"10.0.0.1/8\" is not a CIDR block: the address has bits set behind the first 8");
    for (const char* text : {"10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/ 8", "/8", ""})
        EXPECT_NE(error_of(text), "") << text;
}

} // namespace
} // namespace docmap::base
