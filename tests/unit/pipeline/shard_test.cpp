#include "unit/pipeline/shard_fixture.hpp"

namespace docmap::pipeline {
namespace {

using Offsets = std::vector<std::int64_t>;

/// The value of a header of a request.
std::string header(const ports::Exchange& exchange, const std::string& name) {
    const std::size_t start = exchange.head.find("\r\n" + name + ": ") + name.size() + 4;
    return exchange.head.substr(start, exchange.head.find("\r\n", start) - start);
}

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
    EXPECT_EQ(transport_.exchanges.size(), 1U) << "what begins is sent at the end of the turn";
    scheduler_.run();
    EXPECT_EQ(transport_.exchanges.size(), 2U);
    respond_to_all();
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
    respond_to_all();
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
    respond_to_all();
    EXPECT_EQ(sink_.attempts.size(), 3U);
}

TEST_F(ShardTest, ARevokedAssignmentsWaitingDeliveriesAreDropped) {
    submit({delivery("webhook-a", 1, 1), delivery("webhook-a", 2, 1), delivery("webhook-a", 3, 1),
            delivery("webhook-a", 4, 2)});
    shard_.revoke({core::AssignmentId{1}});
    scheduler_.run();
    ASSERT_EQ(sink_.dropped.size(), 1U);
    respond_to_all();
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

TEST_F(ShardTest, UsesTheNewestSnapshotOfAWebhook) {
    submit({delivery("webhook-a", 1), delivery("webhook-a", 2), delivery("webhook-a", 3)});
    auto moved = std::make_shared<core::Webhook>(*test::make_webhook("webhook-a"));
    moved->parsed_url.target = "/moved";
    moved->url = "https://example.test/moved";
    submit({core::Delivery{test::make_event({.value = "{}", .offset = 4}), moved}});
    transport_.respond(200);
    transport_.respond(200);
    scheduler_.run();
    ASSERT_EQ(transport_.exchanges.size(), 2U);
    EXPECT_TRUE(transport_.exchanges[0]->head.starts_with("POST /moved HTTP/1.1\r\n"));
    respond_to_all();
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
    scheduler_.run();
    EXPECT_FALSE(drained);
    transport_.respond(200);
    scheduler_.run();
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

TEST_F(ShardTest, DrainSendsWhatHasBegun) {
    shard_.submit({delivery("webhook-a", 1)});
    EXPECT_TRUE(transport_.exchanges.empty());
    bool drained = false;
    shard_.drain(scheduler_.now(), [&] { drained = true; });
    EXPECT_EQ(transport_.exchanges.size(), 1U) << "so that it is cut off with what was sent before";
    EXPECT_FALSE(drained);
    scheduler_.advance(1ms);
    EXPECT_TRUE(drained);
    EXPECT_TRUE(transport_.exchanges.empty());
    EXPECT_EQ(slots_.in_use(), 0U);
}

TEST_F(ShardTest, WhatHasBegunIsSignedWithTheKeysOfItsSnapshot) {
    const auto snapshot = [](char digit) {
        auto webhook = std::make_shared<core::Webhook>(*test::make_webhook("webhook-a"));
        webhook->secret.text = std::string(64, digit);
        webhook->previous_secret = core::SigningSecret{std::string(64, 'f')};
        webhook->previous_secret_expires_at = base::SystemTime::max();
        return webhook;
    };
    const core::EventPtr event = test::make_event({.value = "{}", .offset = 1});
    // In one turn, beside one or two that have begun: two may be in flight, so the newer one begins, too, or
    // waits.
    for (const std::size_t begun : {1U, 2U}) {
        shard_.submit(std::vector<core::Delivery>(begun, {event, snapshot('0')}));
        shard_.submit({core::Delivery{event, snapshot('1')}});
        scheduler_.run();
        const ports::Exchange& first = *transport_.exchanges.front();
        std::array<char, core::SignatureBatch::docmap_size> expected;
        const core::SigningKeys keys(core::SigningSecret{std::string(64, '0')});
        core::SignatureBatch alone;
        alone.add_docmap(keys, "{}", expected);
        alone.sign();
        EXPECT_EQ(header(first, "X-DocMap-Signature"), std::string(expected.data(), expected.size()));
        respond_to_all();
    }
}

TEST_F(ShardTest, AWindowGrowsWithEveryAnswerThoughManyComeInOneTurn) {
    OtherShard other(scheduler_, sink_, 100, 1,
                     {.max_in_flight = 16, .max_queued = 100, .breaker = {}, .max_attempts_per_second = {}});
    other.shard.submit(std::vector<core::Delivery>(40, delivery("webhook-a", 1)));
    scheduler_.run();
    for (const std::size_t in_flight : {2U, 4U, 8U, 16U}) {
        ASSERT_EQ(other.transport.exchanges.size(), in_flight);
        for (std::size_t answers = in_flight; answers > 0; --answers)
            other.transport.respond(200);
        scheduler_.run();
    }
}

TEST_F(ShardTest, WhoWaitsForASlotGetsOneAfterAWhileAndNoMore) {
    OtherShard other(scheduler_, sink_, 20, 2,
                     {.max_queued = 100, .breaker = {}, .max_attempts_per_second = {}});
    bool was_woken = false;
    other.slots.on_free(1, [&] { was_woken = true; });
    std::vector<core::Delivery> deliveries;
    deliveries.reserve(60);
    for (int i = 0; i < 60; ++i)
        deliveries.push_back(delivery("webhook-" + std::to_string(i), i));
    other.shard.submit(std::move(deliveries));
    scheduler_.run();
    ASSERT_EQ(other.transport.exchanges.size(), 20U);
    EXPECT_FALSE(other.slots.try_acquire(1));
    for (int answers = 0; answers < 16; ++answers)
        other.transport.respond(200);
    scheduler_.run();
    EXPECT_TRUE(was_woken);
    EXPECT_TRUE(other.slots.try_acquire(1)) << "it has some time to take it";
    EXPECT_FALSE(other.slots.try_acquire(1)) << "it asked for one";
    other.slots.release();
    scheduler_.advance(1ms);
    EXPECT_EQ(other.transport.exchanges.size(), 20U) << "what it leaves is used here";
}

TEST_F(ShardTest, AnIdleShardIsDrainedAtOnce) {
    bool drained = false;
    shard_.drain(scheduler_.now() + 5s, [&] { drained = true; });
    EXPECT_TRUE(drained);
}

TEST_F(ShardTest, RequestsThatBeginTogetherAreEachSignedWithTheirOwnSecretOverTheirOwnBody) {
    constexpr std::size_t count = 50;
    constexpr std::size_t step = 500; // bytes that each body is longer: some are short, some long
    const auto secret = [](std::size_t index) {
        return core::SigningSecret{std::string(64, "0123456789abcdef"[index % 16])};
    };
    OtherShard other(scheduler_, sink_, count, 1, {});
    std::vector<std::string> bodies;
    std::vector<core::Delivery> deliveries;
    for (std::size_t i = 0; i < count; ++i) {
        bodies.push_back("{" + std::string(i * step, ' ') + "}");
        auto webhook = std::make_shared<core::Webhook>(*test::make_webhook("webhook-" + std::to_string(i)));
        webhook->secret = secret(i);
        deliveries.push_back({test::make_event({.value = bodies[i]}), webhook});
    }
    other.shard.submit(std::move(deliveries));
    scheduler_.run();
    ASSERT_EQ(other.transport.exchanges.size(), count);
    for (const ports::Exchange* exchange : other.transport.exchanges) {
        std::array<char, core::SignatureBatch::docmap_size> docmap;
        std::array<char, core::SignatureBatch::standard_size> standard;
        const core::SigningKeys keys(secret(exchange->body.size() / step));
        core::SignatureBatch alone;
        alone.add_docmap(keys, exchange->body, docmap);
        alone.add_standard(keys, header(*exchange, "webhook-id"), header(*exchange, "webhook-timestamp"),
                           exchange->body, standard);
        alone.sign();
        EXPECT_EQ(header(*exchange, "X-DocMap-Signature"), std::string(docmap.data(), docmap.size()));
        EXPECT_EQ(header(*exchange, "webhook-signature"), std::string(standard.data(), standard.size()));
    }
    while (!other.transport.exchanges.empty())
        other.transport.respond(200);
    scheduler_.run();
    EXPECT_EQ(other.slots.in_use(), 0U);
}

} // namespace
} // namespace docmap::pipeline
