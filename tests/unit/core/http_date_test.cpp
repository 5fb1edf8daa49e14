#include "core/http_date.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

base::SystemTime at(std::string_view iso) {
    return base::parse_iso8601(iso).value();
}

const base::SystemTime now = at("2025-01-15T10:00:00Z");

TEST(HttpDate, ReadsItsThreeForms) {
    const base::SystemTime expected = at("1994-11-06T08:49:37Z");
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), expected);
    EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), expected);
    EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", now), expected);
    EXPECT_EQ(parse_http_date("Sun Nov 16 08:49:37 1994", now), at("1994-11-16T08:49:37Z"));
}

TEST(HttpDate, ReadsEveryDayAndMonth) {
    const base::SystemTime first = at("2024-01-01T00:00:00Z");
    constexpr std::array<const char*, 7> days = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                 "Friday", "Saturday", "Sunday"};
    constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned i = 0; i < 366; ++i) {
        const base::SystemTime time = first + i * 24h;
        const std::string iso = base::format_iso8601(time);
        const std::string weekday = days[i % 7];
        const std::string month = months[std::stoul(iso.substr(5, 2)) - 1];
        const std::string day = iso.substr(8, 2);
        const std::string padded_day = day[0] == '0' ? " " + day.substr(1) : day;
        EXPECT_EQ(
            parse_http_date(weekday.substr(0, 3) + ", " + day + " " + month + " 2024 00:00:00 GMT", now),
            time);
        EXPECT_EQ(parse_http_date(weekday + ", " + day + "-" + month + "-24 00:00:00 GMT", now), time);
        EXPECT_EQ(
            parse_http_date(weekday.substr(0, 3) + " " + month + " " + padded_day + " 00:00:00 2024", now),
            time);
    }
}

TEST(HttpDate, TakesTheBoundsOfTheClock) {
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 1999 23:59:59 GMT", now), at("1999-12-31T23:59:59Z"));
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 1999 23:59:60 GMT", now), at("2000-01-01T00:00:00Z"));
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", now), at("9999-12-31T23:59:59Z"));
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 1999 23:59:61 GMT", now), std::nullopt);
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 1999 23:60:00 GMT", now), std::nullopt);
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 1999 24:00:00 GMT", now), std::nullopt);
}

TEST(HttpDate, KnowsTheCalendar) {
    EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", now), at("2024-02-29T00:00:00Z"));
    EXPECT_EQ(parse_http_date("Wed, 29 Feb 2023 00:00:00 GMT", now), std::nullopt);
    EXPECT_EQ(parse_http_date("Wed, 31 Apr 2025 00:00:00 GMT", now), std::nullopt);
    EXPECT_EQ(parse_http_date("Wed, 00 Apr 2025 00:00:00 GMT", now), std::nullopt);
}

TEST(HttpDate, TakesAYearOfTwoDigitsForOneAtMostFiftyYearsAhead) {
    EXPECT_EQ(parse_http_date("Monday, 01-Jan-25 00:00:00 GMT", now), at("2025-01-01T00:00:00Z"));
    EXPECT_EQ(parse_http_date("Monday, 01-Jan-75 00:00:00 GMT", now), at("2075-01-01T00:00:00Z"));
    EXPECT_EQ(parse_http_date("Monday, 01-Jan-76 00:00:00 GMT", now), at("1976-01-01T00:00:00Z"));
    EXPECT_EQ(parse_http_date("Monday, 01-Jan-00 00:00:00 GMT", now), at("2000-01-01T00:00:00Z"));
    EXPECT_EQ(parse_http_date("Monday, 01-Jan-00 00:00:00 GMT", at("2099-12-31T00:00:00Z")),
              at("2100-01-01T00:00:00Z"));
    EXPECT_EQ(parse_http_date("Monday, 01-Jan-99 00:00:00 GMT", at("2000-01-01T00:00:00Z")),
              at("1999-01-01T00:00:00Z"));
}

TEST(HttpDate, RefusesEverythingElse) {
    for (const std::string_view text : {
             "",
             "now",
             "Sun",
             "Sun, 06 Nov 1994 08:49:37",
             "Sun, 06 Nov 1994 08:49:37 ",
             "Sun, 06 Nov 1994 08:49:37 UTC",
             "Sun, 06 Nov 1994 08:49:37 +0000",
             "Sun, 06 Nov 1994 08:49:37 GMT ",
             " Sun, 06 Nov 1994 08:49:37 GMT",
             "Sun, 6 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 94 08:49:37 GMT",
             "Sun, 06 Nov 1994 8:49:37 GMT",
             "Sun, 06 Nov 1994 08-49-37 GMT",
             "Sun, +6 Nov 1994 08:49:37 GMT",
             "Sun, 06 November 1994 08:49:37 GMT",
             "Son, 06 Nov 1994 08:49:37 GMT",
             "sun, 06 nov 1994 08:49:37 gmt",
             "Sun, 06 Xyz 1994 08:49:37 GMT",
             "Sunday, 06 Nov 1994 08:49:37 GMT",
             "Sun, 06-Nov-94 08:49:37 GMT",
             "Sunday, 06-Nov-1994 08:49:37 GMT",
             "Sun Nov 6 08:49:37 1994",
             "Sun Nov 06 08:49:37 94",
             "Sun Nov  6 08:49:37 1994 GMT",
             "Sun Nov   6 08:49:37 1994",
             "1994-11-06T08:49:37Z",
             "Sun, 06 Nov 1994 08:49:3\xff GMT",
         })
        EXPECT_EQ(parse_http_date(text, now), std::nullopt) << text;
}

TEST(HttpDate, RefusesEveryPrefixOfADate) {
    for (const std::string_view date :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        for (std::size_t size = 0; size < date.size(); ++size)
            EXPECT_EQ(parse_http_date(date.substr(0, size), now), std::nullopt) << date.substr(0, size);
    }
}

} // namespace
} // namespace docmap::core
