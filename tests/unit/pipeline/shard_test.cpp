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
    test::ManualTransport transport_{shard_};
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
