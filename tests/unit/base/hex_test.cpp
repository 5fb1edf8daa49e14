#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <array>

namespace docmap::base {
namespace {

TEST(Hex, WritesTwoLowerCaseDigitsPerByte) {
    EXPECT_EQ(to_hex(std::array<unsigned char, 4>{0x00, 0x0f, 0xa5, 0xff}), "000fa5ff");
    EXPECT_EQ(to_hex({}), "");
}

TEST(Hex, ReadsBothCases) {
    EXPECT_EQ(from_hex("000FaBff"), (std::vector<unsigned char>{0x00, 0x0f, 0xab, 0xff}));
    EXPECT_EQ(from_hex(""), std::vector<unsigned char>{});
}

TEST(Hex, RefusesOtherText) {
    EXPECT_FALSE(from_hex("abc"));
    EXPECT_FALSE(from_hex("0g"));
    EXPECT_FALSE(from_hex("g0"));
    EXPECT_FALSE(from_hex(" 0"));
    EXPECT_FALSE(from_hex("0x"));
}

TEST(Hex, KnowsLowerCaseDigits) {
    EXPECT_TRUE(is_lower_hex("0123456789abcdef"));
    EXPECT_TRUE(is_lower_hex(""));
    EXPECT_FALSE(is_lower_hex("A"));
    EXPECT_FALSE(is_lower_hex("g"));
}

} // namespace
} // namespace docmap::base
