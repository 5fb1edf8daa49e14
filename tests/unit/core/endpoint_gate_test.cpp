#include "core/endpoint_gate.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

Delivery delivery(std::int64_t offset) {
    return Delivery{test::make_event({.value = "{}", .offset = offset}), test::make_webhook("webhook-a")};
}

std::int64_t offset_of(const Delivery& taken) {
    return taken.event->record().offset();
}

TEST(EndpointGate, LetsThroughInOrderUpToItsLimit) {
    EndpointGate gate(2);
    EXPECT_FALSE(gate.can_start());
    EXPECT_TRUE(gate.idle());
    for (std::int64_t offset = 0; offset < 3; ++offset)
        gate.push(delivery(offset));
    EXPECT_EQ(offset_of(gate.start()), 0);
    EXPECT_EQ(offset_of(gate.start()), 1);
    EXPECT_FALSE(gate.can_start());
    EXPECT_EQ(gate.in_flight(), 2U);
    gate.finish();
    ASSERT_TRUE(gate.can_start());
    EXPECT_EQ(offset_of(gate.start()), 2);
    gate.finish();
    gate.finish();
    EXPECT_TRUE(gate.idle());
}

TEST(EndpointGate, KeepsTheOrderOfALongQueue) {
    EndpointGate gate(1);
    std::int64_t pushed = 0;
    std::int64_t started = 0;
    for (int round = 0; round < 1000; ++round) {
        for (int i = 0; i < 3; ++i)
            gate.push(delivery(pushed++));
        for (int i = 0; i < 2; ++i) {
            ASSERT_EQ(offset_of(gate.start()), started++);
            gate.finish();
        }
    }
    EXPECT_EQ(gate.queued(), 1000U);
    while (gate.can_start()) {
        ASSERT_EQ(offset_of(gate.start()), started++);
        gate.finish();
    }
    EXPECT_EQ(started, pushed);
}

TEST(EndpointGate, TakesOutWhatIsNotWantedAnyMore) {
    EndpointGate gate(1);
    for (std::int64_t offset = 0; offset < 6; ++offset)
        gate.push(delivery(offset));
    gate.start();
    const auto removed = gate.remove_if([](const Delivery& waiting) { return offset_of(waiting) % 2 == 0; });
    ASSERT_EQ(removed.size(), 2U);
    EXPECT_EQ(offset_of(removed[0]), 2);
    EXPECT_EQ(offset_of(removed[1]), 4);
    EXPECT_EQ(gate.queued(), 3U);
    EXPECT_EQ(gate.in_flight(), 1U);
    gate.finish();
    EXPECT_EQ(offset_of(gate.start()), 1);
}

TEST(EndpointGateDeathTest, RefusesToLoseCount) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EndpointGate gate(1);
    EXPECT_DEATH(gate.start(), "lets through");
    EXPECT_DEATH(gate.finish(), "ends once");
}

} // namespace
} // namespace docmap::core
