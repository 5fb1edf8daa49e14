#include "config/units.hpp"

#include <gtest/gtest.h>

namespace docmap::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadDurations) {
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("10s"), 10s);
    EXPECT_EQ(parse_duration("5m"), 5min);
    EXPECT_EQ(parse_duration("2h"), 2h);
    EXPECT_EQ(parse_duration("0s"), 0ms);
    EXPECT_EQ(parse_duration("876000h"), 876000h);
}

TEST(Units, RefuseOtherDurations) {
    for (const char* text : {"", "10", "s", "abc", "1.5s", "-1s", "+1s", " 1s", "1 s", "1s ", "1d", "1S",
                             "1h30m", "876001h", "99999999999999999999s"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Units, WriteDurations) {
    EXPECT_EQ(format_duration(250ms), "250ms");
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(60s), "1m");
    EXPECT_EQ(format_duration(24h), "24h");
    EXPECT_EQ(format_duration(0ms), "0s");
}

TEST(Units, ReadSizes) {
    EXPECT_EQ(parse_size("64KiB"), 64U * 1024);
    EXPECT_EQ(parse_size("128MiB"), 128U * 1024 * 1024);
    EXPECT_EQ(parse_size("2GiB"), std::size_t{2} * 1024 * 1024 * 1024);
    EXPECT_EQ(parse_size("100B"), 100U);
    EXPECT_EQ(parse_size("100"), 100U);
}

TEST(Units, RefuseOtherSizes) {
    for (const char* text : {"", "KiB", "64KB", "64k", "1.5MiB", "-1", "64 KiB", "9000000000GiB"})
        EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Units, WriteSizes) {
    EXPECT_EQ(format_size(64 * 1024), "64KiB");
    EXPECT_EQ(format_size(1000), "1000B");
    EXPECT_EQ(format_size(1024 * 1024), "1MiB");
    EXPECT_EQ(format_size(0), "0");
}

} // namespace
} // namespace docmap::config
