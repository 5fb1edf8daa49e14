#include "core/endpoint_gate.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

// As many endpoints as there are users may be known at once.
static_assert(sizeof(EndpointGate) <= 192);

constexpr base::SteadyTime start{1000s};

Delivery delivery(std::int64_t offset) {
    return Delivery{test::make_event({.value = "{}", .offset = offset}), test::make_webhook("webhook-a")};
}

Delivery claimed(std::int64_t offset) {
    Delivery made = delivery(offset);
    made.claim = std::make_shared<QueueClaim>();
    return made;
}

std::int64_t offset_of(const Delivery& taken) {
    return taken.event->record().offset();
}

std::vector<std::int64_t> offsets_of(const std::vector<Delivery>& taken) {
    std::vector<std::int64_t> offsets;
    for (const Delivery& one : taken)
        offsets.push_back(offset_of(one));
    return offsets;
}

using Offsets = std::vector<std::int64_t>;

GateSettings settings() {
    GateSettings made;
    made.max_in_flight = 8;
    made.max_queued = 100;
    made.max_wait = 2000ms;
    made.breaker = {.failures = 3, .pause = 5000ms, .max_pause = 60'000ms};
    return made;
}

/// A gate whose breaker opened at `start`, with nothing in flight and nothing waiting.
EndpointGate open_gate(GateSettings from = settings()) {
    EndpointGate gate(from);
    for (std::uint32_t failure = 0; failure < from.breaker.failures; ++failure) {
        gate.push(claimed(-1), start - 60s + failure * 10s);
        gate.start(start - 60s + failure * 10s);
        gate.finish(EndpointAnswer::failing, start - 60s + failure * 10s, start);
    }
    return gate;
}

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

TEST(EndpointGateBreaker, KeepsDeliveriesAwayWhileThePauseLasts) {
    EndpointGate gate = open_gate();
    EXPECT_EQ(gate.open_until(), start + 5000ms);
    EXPECT_FALSE(gate.admits(start));
    EXPECT_FALSE(gate.admits(start + 5000ms - 1ns));
    EXPECT_TRUE(gate.admits(start + 5000ms));
}

TEST(EndpointGateBreaker, OpensForOverloadsToo) {
    EndpointGate gate(settings());
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(gate.open_until(), std::nullopt);
        gate.push(delivery(i), start);
        gate.start(start);
        gate.finish(i == 1 ? EndpointAnswer::failing : EndpointAnswer::overloaded, start, start + 10s);
    }
    EXPECT_EQ(gate.open_until(), start + 15s);
}

TEST(EndpointGateBreaker, TakesOutEverythingThatWaitsWhenItOpens) {
    EndpointGate gate(settings());
    for (std::int64_t offset = 0; offset < 6; ++offset)
        gate.push(delivery(offset), start);
    for (int i = 0; i < 3; ++i) {
        gate.start(start);
        gate.finish(EndpointAnswer::failing, start, start + 1ms);
    }
    EXPECT_FALSE(gate.can_start(start + 1ms)) << "no delivery that nobody claimed is a probe";
    EXPECT_EQ(offsets_of(gate.take_overflow(start + 1ms)), (Offsets{3, 4, 5}));
    EXPECT_TRUE(gate.idle());
}

TEST(EndpointGateBreaker, LetsAClaimedDeliveryProbeAtOnce) {
    EndpointGate gate = open_gate();
    const base::SteadyTime now = start + 1s;
    gate.push(delivery(0), now);
    gate.push(claimed(1), now);
    gate.push(claimed(2), now);
    EXPECT_EQ(offsets_of(gate.take_overflow(now)), (Offsets{0, 2}));
    ASSERT_TRUE(gate.can_start(now));
    EXPECT_EQ(offset_of(gate.start(now)), 1);
    gate.push(claimed(3), now);
    EXPECT_FALSE(gate.can_start(now)) << "one probe at a time";
    EXPECT_EQ(offsets_of(gate.take_overflow(now)), (Offsets{3}));
    gate.finish(EndpointAnswer::failing, now, now + 1s);
    EXPECT_EQ(gate.open_until(), now + 1s + 10'000ms);
}

TEST(EndpointGateBreaker, ClosesWhenTheClaimedProbeSucceeds) {
    EndpointGate gate = open_gate();
    gate.push(claimed(0), start);
    gate.start(start);
    gate.finish(EndpointAnswer::healthy, start, start + 1ms);
    EXPECT_EQ(gate.open_until(), std::nullopt);
    EXPECT_TRUE(gate.admits(start + 1ms));
}

TEST(EndpointGateBreaker, KeepsNoProbeThatHasWaitedTooLong) {
    GateSettings limited = settings();
    limited.max_attempts_per_second = 1;
    EndpointGate gate = open_gate(limited);
    gate.push(claimed(0), start);
    gate.push(claimed(1), start + 1s);
    EXPECT_EQ(offsets_of(gate.take_overflow(start + 2s)), (Offsets{0}));
    EXPECT_EQ(gate.queued(), 1U);
}

TEST(EndpointGateBreaker, SendsOneProbeWhenThePauseIsOver) {
    EndpointGate gate = open_gate();
    const base::SteadyTime now = start + 5000ms;
    for (std::int64_t offset = 0; offset < 3; ++offset)
        gate.push(delivery(offset), now);
    EXPECT_TRUE(gate.take_overflow(now).empty());
    ASSERT_TRUE(gate.can_start(now));
    EXPECT_EQ(offset_of(gate.start(now)), 0);
    EXPECT_FALSE(gate.can_start(now + 1s));
    EXPECT_TRUE(gate.admits(now + 1s)) << "others may wait behind the probe";
    EXPECT_TRUE(gate.take_overflow(now + 1999ms).empty());
    EXPECT_EQ(offsets_of(gate.take_overflow(now + 2000ms)), (Offsets{1, 2})) << "but not longer than usual";
    gate.push(delivery(3), now + 2000ms);
    gate.push(delivery(4), now + 2000ms);
    gate.finish(EndpointAnswer::healthy, now, now + 2001ms);
    EXPECT_EQ(gate.open_until(), std::nullopt);
    EXPECT_EQ(offset_of(gate.start(now + 2001ms)), 3);
    EXPECT_EQ(offset_of(gate.start(now + 2001ms)), 4);
}

TEST(EndpointGateBreaker, PausesTwiceAsLongAfterAProbeThatFails) {
    EndpointGate gate = open_gate();
    base::SteadyTime now = start + 5000ms;
    for (const auto pause : {10'000ms, 20'000ms, 40'000ms, 60'000ms, 60'000ms}) {
        gate.push(delivery(0), now);
        gate.push(delivery(1), now);
        gate.start(now);
        gate.finish(EndpointAnswer::overloaded, now, now + 10ms);
        EXPECT_EQ(gate.open_until(), now + 10ms + pause);
        EXPECT_EQ(gate.take_overflow(now + 10ms).size(), 1U);
        now += 10ms + pause;
    }
}

TEST(EndpointGateBreaker, SendsAnotherProbeWhenTheAnswerToOneStaysUnknown) {
    EndpointGate gate = open_gate();
    const base::SteadyTime now = start + 5000ms;
    gate.push(delivery(0), now);
    gate.push(delivery(1), now);
    gate.start(now);
    gate.finish(EndpointAnswer::unknown, now, now + 1ms);
    EXPECT_EQ(gate.open_until(), start + 5000ms);
    ASSERT_TRUE(gate.can_start(now + 1ms));
    EXPECT_EQ(offset_of(gate.start(now + 1ms)), 1);
}

TEST(EndpointGateBreaker, WaitsForWhatWasInFlightBeforeItProbes) {
    GateSettings wide = settings();
    wide.breaker.failures = 1;
    EndpointGate gate(wide);
    gate.push(delivery(0), start);
    gate.push(delivery(1), start);
    gate.start(start);
    gate.start(start);
    gate.finish(EndpointAnswer::failing, start, start + 1s);
    ASSERT_EQ(gate.open_until(), start + 6s);
    gate.push(claimed(2), start + 2s);
    EXPECT_FALSE(gate.can_start(start + 2s));
    EXPECT_EQ(offsets_of(gate.take_overflow(start + 2s)), (Offsets{2}));
    gate.push(delivery(3), start + 7s);
    EXPECT_FALSE(gate.can_start(start + 7s));
    gate.finish(EndpointAnswer::overloaded, start, start + 8s);
    EXPECT_EQ(gate.open_until(), start + 6s) << "what was in flight does not make the pause longer";
    EXPECT_TRUE(gate.can_start(start + 8s));
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

} // namespace
} // namespace docmap::core
