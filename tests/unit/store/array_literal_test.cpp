#include "store/array_literal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace docmap::store {
namespace {

template<typename Fill>
std::string literal(Fill fill) {
    std::string out;
    ArrayLiteral array(out);
    fill(array);
    array.close();
    return out;
}

std::string text_literal(std::string_view value) {
    return literal([&](ArrayLiteral& array) { array.text(value); });
}

TEST(ArrayLiteral, HoldsIntegers) {
    EXPECT_EQ(integer_array({}), "{}");
    const std::vector<std::int64_t> values = {-1, 0, 9223372036854775807};
    EXPECT_EQ(integer_array(values), "{-1,0,9223372036854775807}");
}

TEST(ArrayLiteral, OfNothingIsEmpty) {
    EXPECT_EQ(literal([](ArrayLiteral&) {}), "{}");
    EXPECT_EQ(text_array({}), "{}");
}

TEST(ArrayLiteral, SeparatesElements) {
    const std::vector<std::string> values = {"a", "", "NULL"};
    EXPECT_EQ(text_array(values), R"({"a","","NULL"})");
}

TEST(ArrayLiteral, EscapesQuotesAndBackslashes) {
    EXPECT_EQ(text_literal(R"(a"b\c)"), R"({"a\"b\\c"})");
    EXPECT_EQ(text_literal("{a, b}\n"), "{\"{a, b}\n\"}");
}

TEST(ArrayLiteral, KeepsValidUtf8) {
    EXPECT_EQ(text_literal("größe \"✓\""), "{\"größe \\\"✓\\\"\"}");
}

TEST(ArrayLiteral, ReplacesWhatPostgresWouldRefuse) {
    EXPECT_EQ(text_literal(std::string_view("a\0b", 3)), "{\"a?b\"}");
    EXPECT_EQ(text_literal("a\xff\"\xc3"), "{\"a?\\\"?\"}");
}

TEST(ArrayLiteral, WritesNumbersFlagsAndNull) {
    EXPECT_EQ(literal([](ArrayLiteral& array) {
                  array.integer(0);
                  array.integer(std::numeric_limits<std::int64_t>::min());
                  array.integer(std::numeric_limits<std::int64_t>::max());
                  array.boolean(true);
                  array.boolean(false);
                  array.null();
              }),
              "{0,-9223372036854775808,9223372036854775807,t,f,NULL}");
}

TEST(ArrayLiteral, WritesTimesInSeconds) {
    EXPECT_EQ(literal([](ArrayLiteral& array) {
                  array.seconds(0);
                  array.seconds(1737383404005);
                  array.seconds(-1);
                  array.seconds(-1500);
              }),
              "{0.000,1737383404.005,-0.001,-1.500}");
}

TEST(ArrayLiteral, WritesBytesInHex) {
    static constexpr std::array<unsigned char, 3> bytes = {0x00, 0xAB, 0x5C};
    EXPECT_EQ(literal([](ArrayLiteral& array) {
                  array.bytes(bytes);
                  array.bytes({});
              }),
              R"({"\\x00ab5c","\\x"})");
}

TEST(ArrayLiteral, KnowsWhatCanBeStored) {
    EXPECT_TRUE(is_storable(""));
    EXPECT_TRUE(is_storable("größe"));
    EXPECT_FALSE(is_storable(std::string_view("\0", 1)));
    EXPECT_FALSE(is_storable("\xff"));
}

} // namespace
} // namespace docmap::store
