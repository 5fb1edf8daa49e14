#include "base/time.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::base {
namespace {

using std::chrono::milliseconds;

SystemTime at(std::int64_t unix_ms) {
    return SystemTime{milliseconds{unix_ms}};
}

TEST(Iso8601, FormatsMilliseconds) {
    EXPECT_EQ(format_iso8601(at(1736935200000)), "2025-01-15T10:00:00.000Z");
    EXPECT_EQ(format_iso8601(at(1737383403512)), "2025-01-20T14:30:03.512Z");
    EXPECT_EQ(format_iso8601(at(-1)), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(format_iso8601(at(0)), "1970-01-01T00:00:00.000Z");
}

TEST(Iso8601, ClampsYearsThatHaveNoFourDigits) {
    EXPECT_EQ(format_iso8601(at(999999999999999)), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(format_iso8601(at(-99999999999999)), "0000-01-01T00:00:00.000Z");
}

TEST(Iso8601, ReadsTheUsualForms) {
    EXPECT_EQ(parse_iso8601("2025-01-20T14:30:03.512Z"), at(1737383403512));
    EXPECT_EQ(parse_iso8601("2025-01-20T14:30:03Z"), at(1737383403000));
    EXPECT_EQ(parse_iso8601("2025-01-20 14:30:03z"), at(1737383403000));
    EXPECT_EQ(parse_iso8601("2025-01-20T14:30:03.5Z"), at(1737383403500));
    EXPECT_EQ(parse_iso8601("2025-01-20T14:30:03.512999999Z"), at(1737383403512));
    EXPECT_EQ(parse_iso8601("2025-01-20T16:30:03.512+02:00"), at(1737383403512));
    EXPECT_EQ(parse_iso8601("2025-01-20T09:00:03.512-0530"), at(1737383403512));
    EXPECT_EQ(parse_iso8601("2024-02-29T00:00:00Z"), at(1709164800000));
    EXPECT_TRUE(parse_iso8601("2016-12-31T23:59:60Z").has_value());
}

TEST(Iso8601, RefusesEverythingElse) {
    for (const std::string text : {"",
                                   "2025",
                                   "2025-01-20",
                                   "2025-01-20T14:30:03",
                                   "2025-13-20T14:30:03Z",
                                   "2025-02-30T14:30:03Z",
                                   "2025-01-20T24:30:03Z",
                                   "2025-01-20T14:60:03Z",
                                   "2025-01-20T14:30:61Z",
                                   "2025-01-20T14:30:03.Z",
                                   "2025-01-20T14:30:03Zx",
                                   "2025-01-20T14:30:03+2",
                                   "2025-01-20T14:30:03+24:00",
                                   "2025-01-20T14:30:03+02:60",
                                   "20250120T143003Z",
                                   "x025-01-20T14:30:03Z",
                                   "2025-01-20T14:30Z",
                                   "2025_01-20T14:30:03Z",
                                   "2025-01_20T14:30:03Z",
                                   "2025-01-2xT14:30:03Z",
                                   "2025-01-20T14_30:03Z"})
        EXPECT_EQ(parse_iso8601(text), std::nullopt) << text;
}

TEST(Iso8601, ReadsBackWhatItWrites) {
    for (std::int64_t unix_ms = 0; unix_ms < 4000000000000; unix_ms += 123456789123)
        EXPECT_EQ(parse_iso8601(format_iso8601(at(unix_ms))), at(unix_ms));
}

} // namespace
} // namespace docmap::base
