#include "unit/core/gate_deliveries.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;
using namespace gate_test;

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
    EndpointGate gate = open_gate();
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

TEST(EndpointGateBreaker, AnEndpointThatComesBackIsMetWithASmallWindow) {
    EndpointGate gate(settings());
    base::SteadyTime now = start;
    for (int i = 0; i < 100; ++i)
        gate.push(delivery(i), now);
    // Up to the whole window of eight.
    for (int round = 0; round < 8; ++round) {
        int begun = 0;
        for (; gate.can_start(now); ++begun)
            static_cast<void>(gate.start(now));
        for (; begun > 0; --begun)
            gate.finish(EndpointAnswer::healthy, now, now);
    }
    int begun = 0;
    for (; gate.can_start(now); ++begun)
        static_cast<void>(gate.start(now));
    ASSERT_EQ(begun, 8);
    for (; begun > 0; --begun)
        gate.finish(EndpointAnswer::failing, now, now);
    ASSERT_TRUE(gate.open_until());
    now = *gate.open_until();
    ASSERT_TRUE(gate.can_start(now));
    static_cast<void>(gate.start(now));
    gate.finish(EndpointAnswer::healthy, now, now);
    for (; gate.can_start(now); ++begun)
        static_cast<void>(gate.start(now));
    EXPECT_LE(begun, 3);
}

} // namespace
} // namespace docmap::core
