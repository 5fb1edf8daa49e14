// What a shard does with deliveries that cannot begin: they wait, are paced, or are parked.
#include "unit/pipeline/shard_fixture.hpp"

namespace docmap::pipeline {
namespace {

TEST_F(ShardTest, WhatWaitsTooLongIsParkedInOrder) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-a", 3),
            delivery("webhook-a", 4)});
    ASSERT_EQ(transport_.exchanges.size(), 2U);
    scheduler_.advance(1900ms);
    EXPECT_TRUE(sink_.parked.empty());
    scheduler_.advance(600ms);
    ASSERT_EQ(sink_.parked.size(), 2U);
    EXPECT_EQ(sink_.parked[0].delivery.event->record().offset(), 3);
    EXPECT_EQ(sink_.parked[1].delivery.event->record().offset(), 4);
    EXPECT_FALSE(sink_.parked[0].not_before) << "slow, not down";
}

TEST_F(ShardTest, MoreThanMayWaitIsParkedAtOnce) {
    std::vector<core::Delivery> many;
    many.reserve(10);
    for (int offset = 0; offset < 10; ++offset)
        many.push_back(delivery("webhook-a", offset));
    submit(std::move(many));
    // Four may wait; two of them begin at the end of the turn.
    EXPECT_EQ(sink_.parked.size(), 6U);
    EXPECT_EQ(transport_.exchanges.size(), 2U);
}

TEST_F(ShardTest, AnEndpointThatIsDownGetsItsDeliveriesParkedUntilTheProbe) {
    for (int offset = 1; offset <= 3; ++offset) {
        submit({delivery("webhook-a", offset)});
        transport_.fail("Connection refused");
        scheduler_.run();
    }
    submit({delivery("webhook-a", 4), delivery("webhook-b", 5)});
    ASSERT_EQ(sink_.parked.size(), 1U);
    EXPECT_EQ(sink_.parked[0].not_before, scheduler_.wall_now() + 5s);
    ASSERT_EQ(transport_.exchanges.size(), 1U) << "the other endpoint is not harmed";
    transport_.respond(200);

    scheduler_.advance(5s);
    submit({delivery("webhook-a", 6), delivery("webhook-a", 7)});
    ASSERT_EQ(transport_.exchanges.size(), 1U) << "one probe";
    transport_.respond(200);
    scheduler_.run();
    EXPECT_EQ(transport_.exchanges.size(), 1U) << "it is back";
    transport_.respond(200);
}

TEST_F(ShardTest, AnOpeningBreakerParksWhatWaits) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-a", 3),
            delivery("webhook-a", 4)});
    for (int i = 0; i < 3; ++i) {
        transport_.fail("Connection refused");
        scheduler_.run();
    }
    EXPECT_TRUE(sink_.parked.empty()) << "the fourth was in flight when the breaker opened";
    submit({delivery("webhook-b", 5), delivery("webhook-b", 6), delivery("webhook-b", 7)});
    transport_.respond(200);
    scheduler_.run();
    for (int i = 0; i < 2; ++i)
        transport_.fail("Connection refused");
    scheduler_.run();
    EXPECT_EQ(sink_.attempts.size(), 6U);
}

TEST_F(ShardTest, AClaimedDeliveryBeginsOnlyWhileItsLeaseHolds) {
    const auto lease = std::make_shared<core::Lease>();
    lease->extend(scheduler_.now() + 1s);
    const auto claimed = [&](std::int64_t offset) {
        core::Delivery one = delivery("webhook-a", offset, 0);
        one.claim = std::make_shared<const core::QueueClaim>(core::QueueClaim{offset, lease});
        return one;
    };
    submit({claimed(1)});
    ASSERT_EQ(transport_.exchanges.size(), 1U);
    transport_.respond(200);
    scheduler_.advance(1s);
    submit({claimed(2)});
    EXPECT_TRUE(transport_.exchanges.empty());
    ASSERT_EQ(sink_.parked.size(), 1U);
    EXPECT_EQ(sink_.parked[0].delivery.claim->row_id, 2);
    EXPECT_EQ(slots_.in_use(), 0U);
}

TEST_F(ShardTest, WithoutMembershipOnlyClaimedDeliveriesBegin) {
    core::Lease membership;
    Shard shard({.index = 0,
                 .gate = {.max_in_flight = 2, .max_wait = 2s, .breaker = {}, .max_attempts_per_second = {}},
                 .timeout = 10s,
                 .retry_schedule = {},
                 .membership = &membership},
                scheduler_, slots_, sink_);
    test::ManualTransport transport(shard, scheduler_);
    shard.attach(transport);
    core::Delivery claimed = delivery("webhook-b", 2, 0);
    const auto lease = std::make_shared<core::Lease>();
    lease->extend(scheduler_.now() + 1h);
    claimed.claim = std::make_shared<const core::QueueClaim>(core::QueueClaim{2, lease});
    shard.submit({delivery("webhook-a", 1), std::move(claimed)});
    scheduler_.advance(10s);
    ASSERT_EQ(transport.exchanges.size(), 1U);
    EXPECT_TRUE(sink_.parked.empty()) << "what may be another's by now is not parked either";
    transport.respond(200);

    membership.extend(scheduler_.now() + 10s);
    scheduler_.advance(1s);
    EXPECT_EQ(transport.exchanges.size() + sink_.parked.size(), 1U) << "it goes on, if only to be parked";
    shard.revoke({core::AssignmentId{1}});
    while (!transport.exchanges.empty())
        transport.respond(200);
    scheduler_.run();
}

TEST_F(ShardTest, ARateLimitedWebhookIsParkedWhenReadAndPacedWhenClaimed) {
    auto limited = std::make_shared<core::Webhook>(*test::make_webhook("webhook-a"));
    limited->max_attempts_per_second = 1;
    submit({core::Delivery{test::make_event({.value = "{}", .offset = 1}), limited}});
    ASSERT_EQ(sink_.parked.size(), 1U);

    const auto lease = std::make_shared<core::Lease>();
    lease->extend(scheduler_.now() + 1h);
    std::vector<core::Delivery> claimed;
    for (int offset = 1; offset <= 4; ++offset)
        claimed.push_back({test::make_event({.value = "{}", .offset = offset, .assignment = 0}), limited,
                           std::make_shared<const core::QueueClaim>(core::QueueClaim{offset, lease})});
    submit(std::move(claimed));
    for (int begun = 1; begun <= 4; ++begun) {
        ASSERT_EQ(transport_.exchanges.size(), 1U);
        transport_.respond(200);
        scheduler_.run();
        EXPECT_EQ(sink_.attempts.size(), static_cast<std::size_t>(begun));
        scheduler_.advance(900ms);
        EXPECT_TRUE(transport_.exchanges.empty());
        scheduler_.advance(100ms);
    }
    EXPECT_EQ(sink_.parked.size(), 1U) << "waiting for the rate is no reason to give back";
}

} // namespace
} // namespace docmap::pipeline
