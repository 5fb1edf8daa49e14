#include "unit/core/gate_deliveries.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;
using namespace gate_test;

// A shard knows thousands of endpoints at once. The first delivery that waits lies inside.
static_assert(sizeof(EndpointGate) <= 192 + sizeof(Delivery) + sizeof(base::SteadyTime));

TEST(EndpointGate, LetsThroughInOrderUpToItsWindow) {
    EndpointGate gate(settings());
    EXPECT_FALSE(gate.can_start(start));
    EXPECT_TRUE(gate.idle());
    for (std::int64_t offset = 0; offset < 4; ++offset)
        gate.push(delivery(offset), start);
    EXPECT_EQ(offset_of(gate.start(start)), 0);
    EXPECT_EQ(offset_of(gate.start(start)), 1);
    EXPECT_FALSE(gate.can_start(start));
    EXPECT_EQ(gate.next_start(start), std::nullopt);
    EXPECT_EQ(gate.in_flight(), 2U);
    EXPECT_EQ(gate.queued(), 2U);
    gate.finish(EndpointAnswer::unknown, start, start);
    ASSERT_TRUE(gate.can_start(start));
    EXPECT_EQ(offset_of(gate.start(start)), 2);
    EXPECT_FALSE(gate.can_start(start)) << "an unknown answer does not widen the window";
    gate.finish(EndpointAnswer::healthy, start, start);
    EXPECT_EQ(offset_of(gate.start(start)), 3);
    gate.finish(EndpointAnswer::healthy, start, start);
    gate.finish(EndpointAnswer::healthy, start, start);
    EXPECT_TRUE(gate.idle());
}

TEST(EndpointGate, WidensAndHalvesItsWindow) {
    EndpointGate gate(settings());
    const auto start_all = [&] {
        while (gate.can_start(start))
            gate.start(start);
        return gate.in_flight();
    };
    for (std::int64_t offset = 0; offset < 100; ++offset)
        gate.push(delivery(offset), start);
    EXPECT_EQ(start_all(), 2U);
    gate.finish(EndpointAnswer::healthy, start, start);
    EXPECT_EQ(start_all(), 3U);
    for (int i = 0; i < 20; ++i) {
        gate.finish(EndpointAnswer::healthy, start, start);
        start_all();
    }
    EXPECT_EQ(gate.in_flight(), 8U);
    for (int i = 0; i < 2; ++i)
        gate.finish(EndpointAnswer::overloaded, start, start + 10s);
    EXPECT_EQ(start_all(), 6U);
    gate.finish(EndpointAnswer::healthy, start, start + 10s);
    gate.finish(EndpointAnswer::failing, start, start + 10s);
    EXPECT_EQ(start_all(), 4U) << "a failure alone does not halve";
}

TEST(EndpointGate, KeepsTheOrderOfALongQueue) {
    GateSettings one_at_a_time = settings();
    one_at_a_time.max_in_flight = 1;
    EndpointGate gate(one_at_a_time);
    std::int64_t pushed = 0;
    std::int64_t started = 0;
    for (int round = 0; round < 1000; ++round) {
        for (int i = 0; i < 3; ++i)
            gate.push(delivery(pushed++), start);
        for (int i = 0; i < 2; ++i) {
            ASSERT_EQ(offset_of(gate.start(start)), started++);
            gate.finish(EndpointAnswer::healthy, start, start);
        }
    }
    EXPECT_EQ(gate.queued(), 1000U);
    while (gate.can_start(start)) {
        ASSERT_EQ(offset_of(gate.start(start)), started++);
        gate.finish(EndpointAnswer::healthy, start, start);
    }
    EXPECT_EQ(started, pushed);
    EXPECT_TRUE(gate.idle());
}

TEST(EndpointGate, AdmitsNoMoreThanMayWait) {
    GateSettings two_wait = settings();
    two_wait.max_queued = 2;
    EndpointGate gate(two_wait);
    EXPECT_TRUE(gate.admits(start));
    gate.push(delivery(0), start);
    EXPECT_TRUE(gate.admits(start));
    gate.push(delivery(1), start);
    EXPECT_FALSE(gate.admits(start));
    gate.push(claimed(2), start);
    EXPECT_EQ(gate.queued(), 3U) << "what is claimed may always wait";
    gate.start(start);
    EXPECT_FALSE(gate.admits(start));
    gate.start(start);
    EXPECT_TRUE(gate.admits(start)) << "what is in flight does not wait";
}

TEST(EndpointGate, TakesOutWhatIsNotWantedAnyMore) {
    GateSettings one_at_a_time = settings();
    one_at_a_time.max_in_flight = 1;
    EndpointGate gate(one_at_a_time);
    for (std::int64_t offset = 0; offset < 6; ++offset)
        gate.push(delivery(offset), start);
    gate.start(start);
    const auto removed = gate.remove_if([](const Delivery& waiting) { return offset_of(waiting) % 2 == 0; });
    EXPECT_EQ(offsets_of(removed), (Offsets{2, 4}));
    EXPECT_EQ(gate.queued(), 3U);
    EXPECT_EQ(gate.in_flight(), 1U);
    gate.finish(EndpointAnswer::healthy, start, start);
    EXPECT_EQ(offset_of(gate.start(start)), 1);
    EXPECT_TRUE(gate.remove_if([](const Delivery&) { return false; }).empty());
    EXPECT_EQ(offsets_of(gate.remove_if([](const Delivery&) { return true; })), (Offsets{3, 5}));
    EXPECT_EQ(gate.queued(), 0U);
    EXPECT_FALSE(gate.idle());
    gate.finish(EndpointAnswer::healthy, start, start);
    EXPECT_TRUE(gate.idle());
    gate.push(delivery(7), start);
    EXPECT_EQ(offset_of(gate.start(start)), 7);
}

TEST(EndpointGateOverflow, TakesOutWhatHasWaitedTooLongOldestFirst) {
    EndpointGate gate(settings());
    EXPECT_TRUE(gate.take_overflow(start).empty());
    for (std::int64_t offset = 0; offset < 6; ++offset)
        gate.push(offset == 3 ? claimed(offset) : delivery(offset), start + offset * 100ms);
    gate.start(start);
    EXPECT_TRUE(gate.take_overflow(start + 2100ms - 1ns).empty());
    EXPECT_EQ(offsets_of(gate.take_overflow(start + 2100ms)), (Offsets{1}));
    EXPECT_EQ(offsets_of(gate.take_overflow(start + 2399ms)), (Offsets{2, 3}));
    EXPECT_EQ(gate.queued(), 2U);
    EXPECT_EQ(offset_of(gate.start(start + 2399ms)), 4);
    EXPECT_EQ(offsets_of(gate.take_overflow(start + 1h)), (Offsets{5}));
    EXPECT_EQ(gate.queued(), 0U);
}

TEST(EndpointGateOverflow, TakesMostOfALongQueueAndKeepsTheRestInOrder) {
    EndpointGate gate(settings());
    for (std::int64_t offset = 0; offset < 1000; ++offset)
        gate.push(delivery(offset), start + offset * 1ms);
    const auto overflow = gate.take_overflow(start + 2000ms + 899ms);
    ASSERT_EQ(overflow.size(), 900U);
    EXPECT_EQ(offset_of(overflow.front()), 0);
    EXPECT_EQ(offset_of(overflow.back()), 899);
    EXPECT_EQ(gate.queued(), 100U);
    EXPECT_EQ(offset_of(gate.start(start + 2900ms)), 900);
}

TEST(EndpointGateOverflow, LeavesASlowButHealthyEndpointItsThroughput) {
    // Each attempt takes 1.9 s; more comes than eight attempts at a time can do.
    EndpointGate gate(settings());
    std::deque<base::SteadyTime> in_flight;
    std::size_t finished_late = 0;
    std::int64_t offset = 0;
    for (base::SteadyTime now = start; now < start + 120s; now += 50ms) {
        while (!in_flight.empty() && now - in_flight.front() >= 1900ms) {
            gate.finish(EndpointAnswer::healthy, in_flight.front(), now);
            in_flight.pop_front();
            if (now >= start + 20s) ++finished_late;
        }
        if (gate.admits(now)) gate.push(delivery(offset++), now);
        gate.take_overflow(now);
        while (gate.can_start(now)) {
            gate.start(now);
            in_flight.push_back(now);
        }
    }
    // 100 s with eight in flight, 1.9 s each.
    EXPECT_GE(finished_late, 412U);
    EXPECT_EQ(gate.in_flight(), 8U);
}

TEST(EndpointGateRate, ParksWhatWasJustRead) {
    GateSettings limited = settings();
    limited.max_attempts_per_second = 10;
    EXPECT_FALSE(EndpointGate(limited).admits(start));
}

TEST(EndpointGateRate, StartsAtThePaceOfItsLimit) {
    GateSettings limited = settings();
    limited.max_attempts_per_second = 10;
    EndpointGate gate(limited);
    EXPECT_EQ(gate.next_start(start), std::nullopt) << "nothing waits";
    for (std::int64_t offset = 0; offset < 3; ++offset)
        gate.push(claimed(offset), start);
    EXPECT_EQ(gate.next_start(start), std::nullopt) << "one may start already";
    EXPECT_EQ(offset_of(gate.start(start)), 0);
    EXPECT_FALSE(gate.can_start(start));
    EXPECT_EQ(gate.next_start(start), start + 100ms);
    EXPECT_FALSE(gate.can_start(start + 100ms - 1ns));
    ASSERT_TRUE(gate.can_start(start + 100ms));
    EXPECT_EQ(offset_of(gate.start(start + 100ms)), 1);
    EXPECT_EQ(gate.next_start(start + 100ms), std::nullopt) << "the window is full";
    gate.finish(EndpointAnswer::healthy, start, start + 150ms);
    EXPECT_EQ(gate.next_start(start + 150ms), start + 200ms);
    gate.start(start + 200ms);
    EXPECT_EQ(gate.next_start(start + 200ms), std::nullopt);
}

TEST(EndpointGateRate, TakesANewLimitFromTheNextAttemptOn) {
    EndpointGate gate(settings());
    for (std::int64_t offset = 0; offset < 3; ++offset)
        gate.push(delivery(offset), start);
    gate.limit_rate(2);
    EXPECT_FALSE(gate.admits(start));
    gate.start(start);
    EXPECT_FALSE(gate.can_start(start));
    EXPECT_EQ(gate.next_start(start), start + 500ms);
    gate.limit_rate(std::nullopt);
    EXPECT_TRUE(gate.can_start(start));
}

TEST(EndpointGateRate, IsKeptByANewGateOnlyOnceAnAttemptMayBegin) {
    GateSettings limited = settings();
    limited.max_attempts_per_second = 2;
    EndpointGate gate(limited);
    EXPECT_TRUE(gate.keeps_rate_if_new(start));
    gate.push(delivery(0), start);
    gate.start(start);
    EXPECT_FALSE(gate.keeps_rate_if_new(start + 499ms));
    EXPECT_TRUE(gate.keeps_rate_if_new(start + 500ms));
}

TEST(EndpointGateRate, HoldsForTheProbeToo) {
    GateSettings limited = settings();
    limited.max_attempts_per_second = 1;
    limited.breaker.failures = 1;
    EndpointGate gate(limited);
    gate.push(claimed(0), start);
    gate.start(start);
    gate.finish(EndpointAnswer::failing, start, start + 10ms);
    gate.push(claimed(1), start + 10ms);
    EXPECT_FALSE(gate.can_start(start + 10ms));
    EXPECT_EQ(gate.next_start(start + 10ms), start + 1s);
    EXPECT_TRUE(gate.can_start(start + 1s));
}

TEST(EndpointGateDeathTest, RefusesToLoseCount) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EndpointGate gate(settings());
    EXPECT_DEATH(gate.start(start), "lets through");
    EXPECT_DEATH(gate.finish(EndpointAnswer::healthy, start, start), "ends once");
}

TEST(EndpointGateRate, WaitingForTheRateIsNoSignOfTrouble) {
    GateSettings limited = settings();
    limited.max_attempts_per_second = 1;
    EndpointGate gate(limited);
    for (std::int64_t offset = 0; offset < 3; ++offset)
        gate.push(claimed(offset), start);
    EXPECT_TRUE(gate.take_overflow(start + 10s).empty());
    EXPECT_EQ(gate.queued(), 3U);
}

TEST(EndpointGateRate, CanBeSetChangedAndLifted) {
    EndpointGate gate(settings());
    EXPECT_TRUE(gate.admits(start));
    gate.limit_rate(1);
    EXPECT_FALSE(gate.admits(start));
    gate.push(claimed(0), start);
    gate.push(claimed(1), start);
    static_cast<void>(gate.start(start));
    EXPECT_FALSE(gate.can_start(start));
    EXPECT_EQ(gate.next_start(start), start + 1s);
    gate.limit_rate({});
    EXPECT_TRUE(gate.can_start(start));
    EXPECT_TRUE(gate.admits(start));
}

} // namespace
} // namespace docmap::core
