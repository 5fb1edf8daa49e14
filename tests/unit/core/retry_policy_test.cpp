#include "core/retry_policy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <string>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

const base::SystemTime now = base::parse_iso8601("2025-01-15T10:00:00Z").value();
const std::vector<std::chrono::milliseconds> schedule = {5s, 5min, 30min, 2h, 5h, 10h, 10h};

using Statuses = std::initializer_list<std::uint16_t>;

/// The `random` that changes no wait.
constexpr double middle = 0.5;

FailedAttempt failed(std::uint16_t attempt, std::uint16_t http_status = 500,
                     std::string_view retry_after = {}) {
    FailedAttempt made;
    made.attempt = attempt;
    made.http_status = http_status;
    made.retry_after = retry_after;
    made.ended_at = now;
    return made;
}

TEST(NextAttempt, FollowsTheSchedule) {
    for (std::size_t i = 0; i < schedule.size(); ++i) {
        const auto attempt = static_cast<std::uint16_t>(i + 1);
        EXPECT_EQ(next_attempt_at(failed(attempt), schedule, middle), now + schedule[i]) << attempt;
    }
}

TEST(NextAttempt, EndsWithTheSchedule) {
    EXPECT_EQ(next_attempt_at(failed(8), schedule, middle), std::nullopt);
    EXPECT_EQ(next_attempt_at(failed(65535), schedule, middle), std::nullopt);
    EXPECT_EQ(next_attempt_at(failed(1), {}, middle), std::nullopt);
    EXPECT_EQ(next_attempt_at(failed(8, 503, "120"), schedule, middle), std::nullopt);
}

TEST(NextAttempt, VariesEachWaitByAFifth) {
    const double below_one = std::nextafter(1.0, 0.0);
    EXPECT_EQ(next_attempt_at(failed(1), schedule, 0.0), now + 4s);
    EXPECT_EQ(next_attempt_at(failed(1), schedule, 0.25), now + 4500ms);
    EXPECT_EQ(next_attempt_at(failed(1), schedule, 0.75), now + 5500ms);
    EXPECT_EQ(next_attempt_at(failed(1), schedule, below_one), now + 6s);
    EXPECT_EQ(next_attempt_at(failed(7), schedule, 0.0), now + 8h);
    EXPECT_EQ(next_attempt_at(failed(7), schedule, below_one), now + 12h);
    EXPECT_EQ(next_attempt_at(failed(1), {0ms}, 0.0), now);
    EXPECT_EQ(next_attempt_at(failed(1), {1ms}, below_one), now + 1ms);
}

TEST(NextAttempt, StaysInTheBoundsOfTheJitter) {
    for (int i = 0; i < 1000; ++i) {
        const double random = i / 1000.0;
        const auto next = next_attempt_at(failed(2), schedule, random);
        ASSERT_TRUE(next.has_value());
        EXPECT_GE(*next, now + 4min);
        EXPECT_LE(*next, now + 6min);
    }
}

TEST(NextAttempt, IsNoneAfterALocalRefusalAndWhereTheEndpointIsGone) {
    FailedAttempt blocked = failed(1, 0);
    blocked.blocked = true;
    EXPECT_EQ(next_attempt_at(blocked, schedule, middle), std::nullopt);
    EXPECT_EQ(next_attempt_at(failed(1, 410), schedule, middle), std::nullopt);
    EXPECT_EQ(next_attempt_at(failed(1, 410, "120"), schedule, middle), std::nullopt);
}

TEST(NextAttempt, ComesAfterEveryOtherFailure) {
    for (const std::uint16_t status : Statuses{0, 101, 301, 400, 404, 409, 411, 429, 500, 503, 599})
        EXPECT_EQ(next_attempt_at(failed(1, status), schedule, middle), now + 5s) << status;
}

TEST(NextAttempt, IsNotBeforeWhatRetryAfterAsksFor) {
    for (const std::uint16_t status : Statuses{429, 503}) {
        EXPECT_EQ(next_attempt_at(failed(1, status, "120"), schedule, middle), now + 120s);
        EXPECT_EQ(next_attempt_at(failed(1, status, "5"), schedule, 0.0), now + 5s);
        EXPECT_EQ(next_attempt_at(failed(1, status, "Wed, 15 Jan 2025 10:01:00 GMT"), schedule, middle),
                  now + 1min);
        EXPECT_EQ(next_attempt_at(failed(1, status, "3"), schedule, middle), now + 5s)
            << "the schedule's wait";
        EXPECT_EQ(next_attempt_at(failed(2, status, "120"), schedule, middle), now + 5min);
        EXPECT_EQ(next_attempt_at(failed(1, status, "soon"), schedule, middle), now + 5s);
        EXPECT_EQ(next_attempt_at(failed(1, status, "Wed, 15 Jan 2025 09:00:00 GMT"), schedule, middle),
                  now + 5s);
    }
}

TEST(NextAttempt, HeedsRetryAfterForADayAtMost) {
    EXPECT_EQ(next_attempt_at(failed(1, 429, "86400"), schedule, middle), now + 24h);
    EXPECT_EQ(next_attempt_at(failed(1, 429, "86401"), schedule, middle), now + 24h);
    EXPECT_EQ(next_attempt_at(failed(1, 503, "1000000000"), schedule, middle), now + 24h);
    EXPECT_EQ(next_attempt_at(failed(1, 503, "Fri, 31 Dec 9999 23:59:59 GMT"), schedule, middle), now + 24h);
    EXPECT_EQ(next_attempt_at(failed(1, 503, "1000000000"), {48h}, middle), now + 48h)
        << "the cap does not shorten the schedule";
}

TEST(NextAttempt, IgnoresRetryAfterOnOtherStatuses) {
    for (const std::uint16_t status : Statuses{0, 301, 404, 500, 502, 504})
        EXPECT_EQ(next_attempt_at(failed(1, status, "120"), schedule, middle), now + 5s) << status;
}

TEST(NextAttemptDeathTest, RefusesAnAttemptWithoutNumber) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(next_attempt_at(failed(0), schedule, middle), "counted from 1");
}

TEST(RetryAfter, ReadsSeconds) {
    EXPECT_EQ(parse_retry_after("0", now), now);
    EXPECT_EQ(parse_retry_after("1", now), now + 1s);
    EXPECT_EQ(parse_retry_after("120", now), now + 120s);
    EXPECT_EQ(parse_retry_after("000120", now), now + 120s);
    EXPECT_EQ(parse_retry_after("86399", now), now + 86'399s);
}

TEST(RetryAfter, ReadsAFractionAndRoundsItUp) {
    EXPECT_EQ(parse_retry_after("120.5", now), now + 120'500ms);
    EXPECT_EQ(parse_retry_after("0.25", now), now + 250ms);
    EXPECT_EQ(parse_retry_after("1.007", now), now + 1007ms);
    EXPECT_EQ(parse_retry_after("1.0070", now), now + 1007ms);
    EXPECT_EQ(parse_retry_after("1.0070001", now), now + 1008ms);
    EXPECT_EQ(parse_retry_after("0.0001", now), now + 1ms);
    EXPECT_EQ(parse_retry_after("0.9999", now), now + 1s);
    EXPECT_EQ(parse_retry_after("86400.5", now), now + 24h);
    EXPECT_EQ(parse_retry_after("86399.9999", now), now + 24h);
}

TEST(RetryAfter, ReadsDates) {
    EXPECT_EQ(parse_retry_after("Wed, 15 Jan 2025 10:30:00 GMT", now), now + 30min);
    EXPECT_EQ(parse_retry_after("Wednesday, 15-Jan-25 10:30:00 GMT", now), now + 30min);
    EXPECT_EQ(parse_retry_after("Wed Jan 15 10:30:00 2025", now), now + 30min);
}

TEST(RetryAfter, TakesADateInThePastForNow) {
    EXPECT_EQ(parse_retry_after("Wed, 15 Jan 2025 09:59:59 GMT", now), now);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), now);
    EXPECT_EQ(parse_retry_after("Sat, 01 Jan 0000 00:00:00 GMT", now), now);
}

TEST(RetryAfter, GoesADayAheadAtMost) {
    EXPECT_EQ(parse_retry_after("86400", now), now + 24h);
    EXPECT_EQ(parse_retry_after("86401", now), now + 24h);
    EXPECT_EQ(parse_retry_after("1000000000", now), now + 24h);
    EXPECT_EQ(parse_retry_after("18446744073709551617", now), now + 24h);
    EXPECT_EQ(parse_retry_after(std::string(64, '9'), now), now + 24h);
    EXPECT_EQ(parse_retry_after("0." + std::string(62, '9'), now), now + 1s);
    EXPECT_EQ(parse_retry_after("Thu, 16 Jan 2025 10:00:01 GMT", now), now + 24h);
}

TEST(RetryAfter, IgnoresWhitespaceAround) {
    EXPECT_EQ(parse_retry_after(" 120", now), now + 120s);
    EXPECT_EQ(parse_retry_after("120 \t", now), now + 120s);
    EXPECT_EQ(parse_retry_after("\t Wed, 15 Jan 2025 10:30:00 GMT  ", now), now + 30min);
}

TEST(RetryAfter, RefusesEverythingElse) {
    for (const std::string_view text : {"",
                                        " ",
                                        "\t \t",
                                        "soon",
                                        "-1",
                                        "-120",
                                        "+120",
                                        "120s",
                                        "12 0",
                                        "1e3",
                                        "0x10",
                                        "1.",
                                        ".5",
                                        ".",
                                        "1.5.5",
                                        "1,5",
                                        "1.-5",
                                        "1.5 s",
                                        "120,60",
                                        "120\r\n",
                                        "\xd9\xa1\xd9\xa2",
                                        "\xff\xfe",
                                        "2025-01-15T10:30:00Z",
                                        "Wed, 15 Jan 2025 10:30:00"})
        EXPECT_EQ(parse_retry_after(text, now), std::nullopt) << text;
    EXPECT_EQ(parse_retry_after(std::string_view("12\0"
                                                 "0",
                                                 4),
                                now),
              std::nullopt);
    EXPECT_EQ(parse_retry_after(std::string(64, ' '), now), std::nullopt);
    EXPECT_EQ(parse_retry_after(std::string(64, '\0'), now), std::nullopt);
}

TEST(RetryAfter, StaysInItsBoundsOnAnyBytes) {
    // One byte of a date or of a number changed into any other.
    for (const std::string_view good : {"Wed, 15 Jan 2025 10:30:00 GMT", "Wednesday, 15-Jan-25 10:30:00 GMT",
                                        "Wed Jan 15 10:30:00 2025", "120.5"}) {
        for (std::size_t i = 0; i < good.size(); ++i) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(good);
                text[i] = static_cast<char>(byte);
                const auto time = parse_retry_after(text, now);
                if (!time) continue;
                ASSERT_GE(*time, now) << text;
                ASSERT_LE(*time, now + max_retry_after) << text;
            }
        }
    }
}

} // namespace
} // namespace docmap::core
