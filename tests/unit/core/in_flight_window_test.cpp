#include "core/in_flight_window.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

constexpr base::SteadyTime start{1000s};

/// One full window of successes.
void answer_window(InFlightWindow& window) {
    const std::size_t in_flight = window.size();
    for (std::size_t i = 0; i < in_flight; ++i)
        window.on_success(window.size());
}

TEST(InFlightWindow, StartsSmall) {
    EXPECT_EQ(InFlightWindow(32).size(), 2U);
    EXPECT_EQ(InFlightWindow(2).size(), 2U);
    EXPECT_EQ(InFlightWindow(1).size(), 1U);
}

TEST(InFlightWindow, DoublesPerWindowUpToItsLimit) {
    InFlightWindow window(20);
    answer_window(window);
    EXPECT_EQ(window.size(), 4U);
    answer_window(window);
    EXPECT_EQ(window.size(), 8U);
    answer_window(window);
    EXPECT_EQ(window.size(), 16U);
    answer_window(window);
    EXPECT_EQ(window.size(), 20U);
    answer_window(window);
    EXPECT_EQ(window.size(), 20U);
}

TEST(InFlightWindow, DoesNotGrowWhileItIsNotUsed) {
    InFlightWindow window(32);
    for (int i = 0; i < 100; ++i)
        window.on_success(1);
    EXPECT_EQ(window.size(), 2U);
    window.on_success(2);
    EXPECT_EQ(window.size(), 3U);
    window.on_success(2);
    EXPECT_EQ(window.size(), 3U);
}

TEST(InFlightWindow, HalvesOncePerFlight) {
    InFlightWindow window(16);
    for (int i = 0; i < 3; ++i)
        answer_window(window);
    ASSERT_EQ(window.size(), 16U);
    for (int i = 0; i < 16; ++i)
        window.on_overload(start, start + 10s + i * 1ms);
    EXPECT_EQ(window.size(), 8U);
    window.on_overload(start + 10s - 1ns, start + 11s);
    EXPECT_EQ(window.size(), 8U) << "it began before the halving";
    window.on_overload(start + 10s, start + 20s);
    EXPECT_EQ(window.size(), 4U) << "it took the place that the halving freed";
}

TEST(InFlightWindow, KeepsOneAttempt) {
    InFlightWindow window(32);
    base::SteadyTime now = start;
    for (int i = 0; i < 10; ++i) {
        window.on_overload(now, now + 1s);
        now += 1s;
    }
    EXPECT_EQ(window.size(), 1U);
}

TEST(InFlightWindow, GrowsByOnePerWindowAfterAnOverload) {
    InFlightWindow window(16);
    for (int i = 0; i < 3; ++i)
        answer_window(window);
    window.on_overload(start, start + 10s);
    ASSERT_EQ(window.size(), 8U);
    for (int i = 0; i < 7; ++i)
        window.on_success(8);
    EXPECT_EQ(window.size(), 8U);
    window.on_success(8);
    EXPECT_EQ(window.size(), 9U);
    answer_window(window);
    EXPECT_EQ(window.size(), 10U);
    for (int i = 0; i < 10; ++i)
        answer_window(window);
    EXPECT_EQ(window.size(), 16U);
}

TEST(InFlightWindow, GrowsAgainFromOneAttempt) {
    InFlightWindow window(2);
    window.on_overload(start, start + 1s);
    ASSERT_EQ(window.size(), 1U);
    window.on_success(1);
    EXPECT_EQ(window.size(), 2U);
    window.on_success(2);
    EXPECT_EQ(window.size(), 2U);
}

TEST(InFlightWindow, CountsItsSuccessesAnewAfterAHalving) {
    InFlightWindow window(8);
    answer_window(window);
    answer_window(window);
    window.on_overload(start, start + 1s);
    ASSERT_EQ(window.size(), 4U);
    for (int i = 0; i < 3; ++i)
        window.on_success(4);
    window.on_overload(start + 1s, start + 2s);
    ASSERT_EQ(window.size(), 2U);
    window.on_success(2);
    EXPECT_EQ(window.size(), 2U);
    window.on_success(2);
    EXPECT_EQ(window.size(), 3U);
}

TEST(InFlightWindow, RestartsAsAtFirst) {
    InFlightWindow window(8);
    answer_window(window);
    window.on_overload(start, start + 1s);
    window.restart();
    EXPECT_EQ(window.size(), InFlightWindow::first_size);
    answer_window(window);
    EXPECT_EQ(window.size(), 2 * InFlightWindow::first_size) << "fast again";
}

} // namespace
} // namespace docmap::core
