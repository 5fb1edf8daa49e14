#include "core/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

constexpr BreakerSettings settings{.failures = 3, .pause = 1000ms, .max_pause = 60'000ms};
constexpr base::SteadyTime start{1000s};

/// A breaker that opened at `start`.
CircuitBreaker opened() {
    CircuitBreaker breaker(settings);
    for (std::uint32_t failure = 0; failure < settings.failures; ++failure)
        breaker.on_failure(start - 1s, start);
    return breaker;
}

TEST(PauseAfter, DoublesWithEachFailureFromTheLimitOn) {
    EXPECT_EQ(pause_after(0, settings), std::nullopt);
    EXPECT_EQ(pause_after(2, settings), std::nullopt);
    EXPECT_EQ(pause_after(3, settings), 1000ms);
    EXPECT_EQ(pause_after(4, settings), 2000ms);
    EXPECT_EQ(pause_after(5, settings), 4000ms);
    EXPECT_EQ(pause_after(8, settings), 32'000ms);
    EXPECT_EQ(pause_after(9, settings), 60'000ms);
    EXPECT_EQ(pause_after(10, settings), 60'000ms);
}

TEST(PauseAfter, ReachesTheLongestPauseExactly) {
    const BreakerSettings doubling{.failures = 1, .pause = 10ms, .max_pause = 80ms};
    EXPECT_EQ(pause_after(1, doubling), 10ms);
    EXPECT_EQ(pause_after(3, doubling), 40ms);
    EXPECT_EQ(pause_after(4, doubling), 80ms);
    EXPECT_EQ(pause_after(5, doubling), 80ms);
}

TEST(PauseAfter, DoesNotOverflow) {
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    EXPECT_EQ(pause_after(most, settings), 60'000ms);
    const BreakerSettings longest{.failures = 1, .pause = 1ms, .max_pause = std::chrono::milliseconds::max()};
    EXPECT_EQ(pause_after(most, longest), std::chrono::milliseconds::max());
    EXPECT_EQ(pause_after(63, longest), std::chrono::milliseconds{std::int64_t{1} << 62});
    EXPECT_EQ(pause_after(64, longest), std::chrono::milliseconds::max());
    const BreakerSettings none{.failures = 1, .pause = 0ms, .max_pause = 0ms};
    EXPECT_EQ(pause_after(most, none), 0ms);
}

TEST(PauseAfter, IsNeverLongerThanTheLongest) {
    EXPECT_EQ(pause_after(1, {.failures = 1, .pause = 100ms, .max_pause = 10ms}), 10ms);
}

TEST(CircuitBreaker, OpensAfterFailuresInARow) {
    CircuitBreaker breaker(settings);
    EXPECT_TRUE(breaker.lets_through(start));
    breaker.on_failure(start - 1s, start);
    breaker.on_failure(start - 1s, start);
    EXPECT_EQ(breaker.open_until(), std::nullopt);
    breaker.on_failure(start - 1s, start);
    EXPECT_EQ(breaker.open_until(), start + 1000ms);
    EXPECT_FALSE(breaker.lets_through(start));
    EXPECT_FALSE(breaker.lets_through(start + 1000ms - 1ns));
    EXPECT_TRUE(breaker.lets_through(start + 1000ms));
    EXPECT_EQ(breaker.open_until(), start + 1000ms) << "half open is not closed";
}

TEST(CircuitBreaker, CountsOnlyFailuresInARow) {
    CircuitBreaker breaker(settings);
    for (int round = 0; round < 10; ++round) {
        breaker.on_failure(start, start);
        breaker.on_failure(start, start);
        breaker.on_success();
    }
    EXPECT_EQ(breaker.open_until(), std::nullopt);
}

TEST(CircuitBreaker, PausesTwiceAsLongAfterEachProbeThatFails) {
    CircuitBreaker breaker = opened();
    base::SteadyTime now = start + 1000ms;
    breaker.on_failure(now, now + 10ms);
    EXPECT_EQ(breaker.open_until(), now + 10ms + 2000ms);
    now += 10ms + 2000ms;
    breaker.on_failure(now, now + 10ms);
    EXPECT_EQ(breaker.open_until(), now + 10ms + 4000ms);
}

TEST(CircuitBreaker, ClosesWhenAProbeSucceeds) {
    CircuitBreaker breaker = opened();
    breaker.on_success();
    EXPECT_EQ(breaker.open_until(), std::nullopt);
    EXPECT_TRUE(breaker.lets_through(start));
    breaker.on_failure(start, start + 1s);
    breaker.on_failure(start, start + 1s);
    EXPECT_TRUE(breaker.lets_through(start + 1s)) << "the count begins anew";
    breaker.on_failure(start, start + 1s);
    EXPECT_EQ(breaker.open_until(), start + 2s) << "the pause is the first one again";
}

TEST(CircuitBreaker, IgnoresFailuresOfAttemptsThatWereInFlightWhenItOpened) {
    CircuitBreaker breaker = opened();
    breaker.on_failure(start - 1ns, start + 500ms);
    breaker.on_failure(start, start + 5s);
    EXPECT_EQ(breaker.open_until(), start + 1000ms);
    breaker.on_failure(start + 1ns, start + 500ms);
    EXPECT_EQ(breaker.open_until(), start + 500ms + 2000ms);
}

} // namespace
} // namespace docmap::core
