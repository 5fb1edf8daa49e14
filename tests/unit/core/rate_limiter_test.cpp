#include "core/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

constexpr base::SteadyTime start{1000s};

/// Takes all that it may at `now`.
int take_all(RateLimiter& limiter, base::SteadyTime now) {
    int taken = 0;
    for (; limiter.permits(now); ++taken)
        limiter.take(now);
    return taken;
}

TEST(RateLimiter, StartsWithOneToken) {
    RateLimiter limiter(100, start);
    EXPECT_EQ(limiter.next_start(start), start);
    EXPECT_EQ(take_all(limiter, start), 1);
    EXPECT_EQ(limiter.next_start(start), start + 10ms);
}

TEST(RateLimiter, KeepsAnEvenPace) {
    RateLimiter limiter(4, start);
    base::SteadyTime now = start;
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(limiter.permits(now));
        limiter.take(now);
        EXPECT_EQ(limiter.next_start(now), now + 250ms);
        EXPECT_FALSE(limiter.permits(now + 250ms - 1ns));
        now += 250ms;
    }
}

TEST(RateLimiter, KeepsATenthOfASecondsWorth) {
    RateLimiter limiter(100, start);
    EXPECT_EQ(take_all(limiter, start + 24h), 10);
    EXPECT_EQ(limiter.next_start(start + 24h), start + 24h + 10ms);
    EXPECT_EQ(take_all(limiter, start + 24h + 30ms), 3);
    EXPECT_EQ(take_all(limiter, start + 25h), 10);
}

TEST(RateLimiter, KeepsOneTokenOfAFewPerSecond) {
    for (const std::uint32_t per_second : {1U, 9U, 10U, 19U}) {
        RateLimiter limiter(per_second, start);
        EXPECT_EQ(take_all(limiter, start + 1h), 1) << per_second;
    }
    RateLimiter limiter(20, start);
    EXPECT_EQ(take_all(limiter, start + 1h), 2);
}

TEST(RateLimiter, HoldsItsLimitInEverySecond) {
    for (const std::uint32_t per_second : {1U, 3U, 7U, 60U, 999U, 3000U}) {
        RateLimiter limiter(per_second, start);
        std::vector<base::SteadyTime> attempts;
        // Pauses in between fill the bucket again.
        for (base::SteadyTime now = start; now < start + 5s;) {
            while (limiter.permits(now)) {
                limiter.take(now);
                attempts.push_back(now);
            }
            now = attempts.size() % 5 == 0 ? now + 170ms : limiter.next_start(now);
        }
        for (auto first = attempts.begin(); first != attempts.end(); ++first) {
            const auto last = std::lower_bound(first, attempts.end(), *first + 1s);
            ASSERT_LE(last - first, per_second + per_second / 10) << per_second;
        }
    }
}

TEST(RateLimiter, UsesItsWholeLimit) {
    RateLimiter limiter(1000, start);
    int taken = 0;
    for (base::SteadyTime now = start; now < start + 10s; now = limiter.next_start(now))
        taken += take_all(limiter, now);
    EXPECT_EQ(taken, 10'000);
}

TEST(RateLimiter, TakesTheHighestLimit) {
    RateLimiter limiter(std::numeric_limits<std::uint32_t>::max(), start);
    limiter.take(start);
    EXPECT_EQ(limiter.next_start(start), start + 1ns);
}

TEST(RateLimiterDeathTest, RefusesWhatItDoesNotPermit) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    RateLimiter limiter(1, start);
    limiter.take(start);
    EXPECT_DEATH(limiter.take(start), "asked before");
    EXPECT_DEATH(RateLimiter(0, start), "lets something through");
}

} // namespace
} // namespace docmap::core
