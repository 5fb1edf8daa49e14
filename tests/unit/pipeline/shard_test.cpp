#include "pipeline/shard.hpp"
#include "support/manual_ports.hpp"
#include "support/records.hpp"
#include "support/virtual_scheduler.hpp"

#include <gtest/gtest.h>

namespace docmap::pipeline {
namespace {

using namespace std::chrono_literals;

class CollectingSink final : public DeliverySink {
  public:
    void on_attempts(std::vector<core::AttemptRecord> finished) override {
        std::move(finished.begin(), finished.end(), std::back_inserter(attempts));
    }
    void on_dropped(std::vector<core::Delivery> deliveries) override {
        std::move(deliveries.begin(), deliveries.end(), std::back_inserter(dropped));
    }

    void on_parked(std::vector<core::ParkedDelivery> deliveries) override {
        std::move(deliveries.begin(), deliveries.end(), std::back_inserter(parked));
    }

    std::vector<core::AttemptRecord> attempts;
    std::vector<core::Delivery> dropped;
    std::vector<core::ParkedDelivery> parked;
};

class ShardTest : public testing::Test {
  protected:
    ShardTest() { shard_.attach(transport_); }

    static core::Delivery delivery(const std::string& webhook_id, std::int64_t offset,
                                   std::uint64_t assignment = 1) {
        return {test::make_event({.value = "{}", .offset = offset, .assignment = assignment}),
                test::make_webhook(webhook_id)};
    }
    void submit(std::vector<core::Delivery> deliveries) {
        shard_.submit(std::move(deliveries));
        scheduler_.run();
    }
    std::vector<std::int64_t> attempted_offsets() const {
        std::vector<std::int64_t> offsets;
        for (const core::AttemptRecord& attempt : sink_.attempts)
            offsets.push_back(attempt.delivery.event->record().offset());
        return offsets;
    }

    test::VirtualScheduler scheduler_;
    async::SharedSlots slots_{3, 1};
    CollectingSink sink_;
    Shard shard_{{.index = 0,
                  .gate = {.max_in_flight = 2,
                           .max_queued = 4,
                           .max_wait = 2s,
                           .breaker = {.failures = 3, .pause = 5s, .max_pause = 20s},
                           .max_attempts_per_second = {}},
                  .max_endpoints = 2,
                  .timeout = 10s,
                  .retry_schedule = {5s, 5min},
                  .random_seed = 1},
                 scheduler_,
                 slots_,
                 sink_};
    test::ManualTransport transport_{shard_, scheduler_};
};

using Offsets = std::vector<std::int64_t>;

TEST_F(ShardTest, SendsASignedRequestAndReportsTheAttempt) {
    submit({delivery("webhook-a", 1)});
    ASSERT_EQ(transport_.exchanges.size(), 1U);
    const ports::Exchange& exchange = *transport_.exchanges[0];
    EXPECT_TRUE(exchange.head.starts_with("POST /hook HTTP/1.1\r\n"));
    EXPECT_NE(exchange.head.find("X-DocMap-Signature: sha256="), std::string::npos);
    EXPECT_EQ(exchange.body, "{}");
    EXPECT_EQ(exchange.origin->host, "example.test");
    EXPECT_EQ(exchange.deadline, scheduler_.now() + 10s);

    scheduler_.advance(342ms);
    transport_.respond(200);
    scheduler_.run();
    ASSERT_EQ(sink_.attempts.size(), 1U);
    const core::AttemptRecord& attempt = sink_.attempts[0];
    EXPECT_TRUE(attempt.success);
    EXPECT_EQ(attempt.http_status, 200);
    EXPECT_EQ(attempt.error, "");
    EXPECT_EQ(attempt.duration, 342ms);
    EXPECT_NE(exchange.head.find(core::view(attempt.id)), std::string::npos);
}

TEST_F(ShardTest, ReportsWhyAnAttemptFailed) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2)});
    transport_.respond(503);
    transport_.fail("Connection refused");
    scheduler_.run();
    ASSERT_EQ(sink_.attempts.size(), 2U);
    EXPECT_FALSE(sink_.attempts[0].success);
    EXPECT_EQ(sink_.attempts[0].error, "HTTP 503 Service Unavailable");
    EXPECT_FALSE(sink_.attempts[1].success);
    EXPECT_EQ(sink_.attempts[1].http_status, 0);
    EXPECT_EQ(sink_.attempts[1].error, "Connection refused");
}

TEST_F(ShardTest, AnEndpointHasNoMoreInFlightThanItMay) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-a", 3)});
    EXPECT_EQ(transport_.exchanges.size(), 2U);
    transport_.respond(200);
    EXPECT_EQ(transport_.exchanges.size(), 2U);
    transport_.respond(200);
    transport_.respond(200);
    scheduler_.run();
    EXPECT_EQ(attempted_offsets(), (Offsets{1, 2, 3}));
}

TEST_F(ShardTest, AllEndpointsTogetherHaveNoMoreInFlightThanTheProcessMay) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-b", 3),
            delivery("webhook-b", 4), delivery("webhook-c", 5)});
    EXPECT_EQ(transport_.exchanges.size(), 3U);
    EXPECT_EQ(slots_.in_use(), 3U);
    while (!transport_.exchanges.empty()) {
        transport_.respond(200);
        scheduler_.run();
        EXPECT_LE(slots_.in_use(), 3U);
    }
    EXPECT_EQ(sink_.attempts.size(), 5U);
    EXPECT_EQ(slots_.in_use(), 0U);
}

TEST_F(ShardTest, EndpointsTakeTurnsWhenSlotsAreScarce) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-b", 3),
            delivery("webhook-c", 4)});
    EXPECT_EQ(transport_.exchanges.size(), 3U);
    for (int i = 0; i < 4; ++i)
        transport_.respond(200);
    scheduler_.run();
    EXPECT_EQ(attempted_offsets(), (Offsets{1, 3, 4, 2}));
}

TEST_F(ShardTest, ADeletedWebhookGetsNothingMore) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-a", 3),
            delivery("webhook-b", 4)});
    shard_.remove_webhook("webhook-a");
    shard_.remove_webhook("webhook-unknown");
    scheduler_.run();
    ASSERT_EQ(sink_.dropped.size(), 1U);
    EXPECT_EQ(sink_.dropped[0].event->record().offset(), 3);
    while (!transport_.exchanges.empty())
        transport_.respond(200);
    scheduler_.run();
    EXPECT_EQ(sink_.attempts.size(), 3U);
}

TEST_F(ShardTest, ARevokedAssignmentsWaitingDeliveriesAreDropped) {
    submit({delivery("webhook-a", 1, 1), delivery("webhook-a", 2, 1), delivery("webhook-a", 3, 1),
            delivery("webhook-a", 4, 2)});
    shard_.revoke({core::AssignmentId{1}});
    scheduler_.run();
    ASSERT_EQ(sink_.dropped.size(), 1U);
    while (!transport_.exchanges.empty())
        transport_.respond(200);
    scheduler_.run();
    EXPECT_EQ(attempted_offsets(), (Offsets{1, 2, 4}));
}

TEST_F(ShardTest, AFailedAttemptSaysWhenTheNextOneIs) {
    submit({delivery("webhook-a", 1)});
    scheduler_.advance(100ms);
    transport_.respond(500);
    scheduler_.run();
    ASSERT_EQ(sink_.attempts.size(), 1U);
    const core::AttemptRecord& attempt = sink_.attempts[0];
    EXPECT_TRUE(attempt.endpoint_failed);
    EXPECT_FALSE(attempt.deactivates);
    ASSERT_TRUE(attempt.next_attempt_at);
    EXPECT_GE(*attempt.next_attempt_at, scheduler_.wall_now() + 4s);
    EXPECT_LE(*attempt.next_attempt_at, scheduler_.wall_now() + 6s);
}

TEST_F(ShardTest, RetryAfterIsHonoured) {
    submit({delivery("webhook-a", 1)});
    transport_.respond(429, "3600");
    scheduler_.run();
    ASSERT_TRUE(sink_.attempts[0].next_attempt_at);
    EXPECT_GE(*sink_.attempts[0].next_attempt_at, scheduler_.wall_now() + 1h);
}

TEST_F(ShardTest, AnEndpointThatIsGoneIsNotTriedAgain) {
    submit({delivery("webhook-a", 1)});
    transport_.respond(410);
    scheduler_.run();
    EXPECT_TRUE(sink_.attempts[0].deactivates);
    EXPECT_FALSE(sink_.attempts[0].next_attempt_at);
}

TEST_F(ShardTest, ALocalRefusalIsFinalAndSaysNothingAboutTheEndpoint) {
    submit({delivery("webhook-a", 1)});
    transport_.fail("Blocked: 10.0.0.7 is a private address", true);
    scheduler_.run();
    EXPECT_FALSE(sink_.attempts[0].next_attempt_at);
    EXPECT_FALSE(sink_.attempts[0].endpoint_failed);
}

TEST_F(ShardTest, TheLastAttemptOfTheScheduleIsFinal) {
    core::Delivery last = delivery("webhook-a", 1);
    last.attempt = 3;
    submit({std::move(last)});
    transport_.respond(500);
    scheduler_.run();
    EXPECT_EQ(sink_.attempts[0].delivery.attempt, 3);
    EXPECT_FALSE(sink_.attempts[0].next_attempt_at);
}

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
    for (int i = 0; i < 3; ++i)
        transport_.fail("Connection refused");
    scheduler_.run();
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

TEST_F(ShardTest, UsesTheNewestSnapshotOfAWebhook) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-a", 3)});
    auto moved = std::make_shared<core::Webhook>(*test::make_webhook("webhook-a"));
    moved->parsed_url.target = "/moved";
    moved->url = "https://example.test/moved";
    submit({core::Delivery{test::make_event({.value = "{}", .offset = 4}), moved}});
    transport_.respond(200);
    transport_.respond(200);
    ASSERT_EQ(transport_.exchanges.size(), 2U);
    EXPECT_TRUE(transport_.exchanges[0]->head.starts_with("POST /moved HTTP/1.1\r\n"));
    transport_.respond(200);
    transport_.respond(200);
    scheduler_.run();
    EXPECT_EQ(sink_.attempts[2].delivery.webhook->url, "https://example.test/moved");
}

TEST_F(ShardTest, ForgetsIdleEndpointsBeyondItsLimitAndServesThemAnew) {
    for (int round = 0; round < 3; ++round)
        for (const char* id : {"webhook-a", "webhook-b", "webhook-c", "webhook-d"}) {
            submit({delivery(id, round)});
            transport_.respond(200);
        }
    scheduler_.run();
    EXPECT_EQ(sink_.attempts.size(), 12U);
}

TEST_F(ShardTest, DrainLetsWhatIsInFlightEnd) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-a", 3)});
    bool drained = false;
    shard_.drain(scheduler_.now() + 5s, [&] { drained = true; });
    transport_.respond(200);
    EXPECT_FALSE(drained);
    transport_.respond(200);
    EXPECT_TRUE(drained);
    EXPECT_TRUE(transport_.exchanges.empty()) << "nothing new begins";
    EXPECT_EQ(sink_.attempts.size(), 2U) << "attempts are reported before the drain is";
}

TEST_F(ShardTest, DrainCutsOffWhatGoesOnTooLongWithoutRecordingIt) {
    submit({delivery("webhook-a", 1)});
    bool drained = false;
    shard_.drain(scheduler_.now() + 5s, [&] { drained = true; });
    scheduler_.advance(5s);
    EXPECT_TRUE(drained);
    scheduler_.run();
    EXPECT_TRUE(sink_.attempts.empty());
    EXPECT_EQ(slots_.in_use(), 0U);
}

TEST_F(ShardTest, AnIdleShardIsDrainedAtOnce) {
    bool drained = false;
    shard_.drain(scheduler_.now() + 5s, [&] { drained = true; });
    EXPECT_TRUE(drained);
}

} // namespace
} // namespace docmap::pipeline
