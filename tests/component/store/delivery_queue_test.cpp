// The delivery queue: what is claimed, in which order, within which limits, and how it is given back.
#include "queue_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace docmap::store {
namespace {

using test::add_webhook;
using test::make_attempt;
using test::make_parked;
using test::offsets_of;
using test::QueueInstance;
using test::TestDatabase;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr base::SystemTime past{1737383404123ms};

class DeliveryQueue : public testing::Test {
  protected:
    void SetUp() override {
        for (const char* id : {"webhook-a", "webhook-b", "webhook-c"})
            add_webhook(database_, id);
        ASSERT_TRUE(queue_.start());
    }
    std::string park(const std::string& webhook_id, std::vector<std::int64_t> offsets,
                     base::SystemTime parked_at = past) {
        std::vector<core::ParkedDelivery> batch;
        for (const std::int64_t offset : offsets)
            batch.push_back(make_parked({.offset = offset, .webhook_id = webhook_id}, parked_at));
        return queue_.park(std::move(batch));
    }

    TestDatabase database_{test::Schema::current};
    QueueInstance queue_{database_.settings()};
};

TEST_F(DeliveryQueue, AClaimedDeliveryIsWholeWithoutItsWebhook) {
    core::RecordFields record;
    record.topic = &test::completed_topic();
    record.partition = 3;
    record.offset = 42;
    record.timestamp = past;
    record.value = "{\"\xc3\xa9\": \"\\u0000\"}";
    record.traceparent = "00-trace";
    record.tracestate = "vendor=\"x\"";
    auto parked = make_parked({.offset = 42, .webhook_id = "webhook-a"}, past);
    core::EventFields fields;
    fields.type = core::EventType::extraction_failed;
    fields.id = "evt_42";
    fields.user_id = "uid_1";
    fields.extraction_id = "extract-1";
    fields.body_hash = 0xFFFFFFFFFFFFFFFEU;
    parked.delivery.event = core::Event::create(core::Record::create(record), fields);
    ASSERT_EQ(queue_.park({parked}), "");

    const ports::Claim claim = queue_.claim();
    ASSERT_EQ(claim.endpoints.size(), 1U);
    EXPECT_EQ(claim.endpoints[0].webhook_id, "webhook-a");
    EXPECT_EQ(claim.endpoints[0].user_id, "uid_1");
    EXPECT_EQ(claim.endpoints[0].failures, 0U);
    EXPECT_FALSE(claim.next_due_in);
    ASSERT_EQ(claim.endpoints[0].deliveries.size(), 1U);
    const ports::QueuedDelivery& delivery = claim.endpoints[0].deliveries[0];
    EXPECT_GT(delivery.row_id, 0);
    EXPECT_EQ(delivery.webhook_id, "webhook-a");
    EXPECT_EQ(delivery.attempt, 1);
    EXPECT_EQ(delivery.event->type(), core::EventType::extraction_failed);
    EXPECT_EQ(delivery.event->id(), "evt_42");
    EXPECT_EQ(delivery.event->user_id(), "uid_1");
    EXPECT_EQ(delivery.event->extraction_id(), "extract-1");
    EXPECT_EQ(delivery.event->body_hash(), 0xFFFFFFFFFFFFFFFEU);
    EXPECT_EQ(delivery.event->body(), "{\"\xc3\xa9\": \"\\u0000\"}");
    EXPECT_EQ(delivery.event->record().topic(), "extraction.completed");
    EXPECT_EQ(delivery.event->record().partition(), 3);
    EXPECT_EQ(delivery.event->record().offset(), 42);
    EXPECT_EQ(delivery.event->record().timestamp(), past);
    EXPECT_EQ(delivery.event->record().assignment(), core::no_assignment);
    EXPECT_EQ(delivery.event->record().traceparent(), "00-trace");
    EXPECT_EQ(delivery.event->record().tracestate(), "vendor=\"x\"");
}

TEST_F(DeliveryQueue, DeliveriesComeInTheOrderOfTheirTimeAndThenOfTheirArrival) {
    ASSERT_EQ(park("webhook-a", {5, 3, 4}, past + 1s), "");
    ASSERT_EQ(park("webhook-a", {9, 8}, past), "");
    ASSERT_EQ(park("webhook-b", {1}, past + 500ms), "");
    const ports::Claim claim = queue_.claim();
    ASSERT_EQ(claim.endpoints.size(), 2U);
    EXPECT_EQ(claim.endpoints[0].webhook_id, "webhook-a");
    EXPECT_THAT(offsets_of(claim.endpoints[0].deliveries), ElementsAre(9, 8, 5, 3, 4));
    EXPECT_THAT(offsets_of(claim.endpoints[1].deliveries), ElementsAre(1));
    EXPECT_THAT(queue_.claim().endpoints, IsEmpty()); // they are claimed
}

TEST_F(DeliveryQueue, OnlyWhatIsDueIsClaimedAndTheNextTimeIsTold) {
    ASSERT_EQ(park("webhook-a", {1}, base::system_now() + 60s), "");
    ASSERT_EQ(park("webhook-b", {2}, base::system_now() + 90s), "");
    const ports::Claim claim = queue_.claim();
    EXPECT_THAT(claim.endpoints, IsEmpty());
    ASSERT_TRUE(claim.next_due_in);
    EXPECT_GT(*claim.next_due_in, 40s);
    EXPECT_LE(*claim.next_due_in, 61s);
}

TEST_F(DeliveryQueue, LimitsAreKeptAndTheRestIsTaken) {
    ASSERT_EQ(park("webhook-a", {1, 2, 3, 4, 5}), "");
    ASSERT_EQ(park("webhook-b", {6, 7, 8}, past + 1s), "");
    ASSERT_EQ(park("webhook-c", {9}, past + 2s), "");
    const ports::Claim claim = queue_.claim({2, 2, 1000});
    ASSERT_EQ(claim.endpoints.size(), 2U);
    EXPECT_THAT(offsets_of(claim.endpoints[0].deliveries), ElementsAre(1, 2));
    EXPECT_THAT(offsets_of(claim.endpoints[1].deliveries), ElementsAre(6, 7));
    EXPECT_EQ(claim.next_due_in, 0ms); // webhook-c
    std::vector<std::int64_t> held;
    for (const auto& endpoint : claim.endpoints)
        for (const auto& delivery : endpoint.deliveries)
            held.push_back(delivery.row_id);
    const auto taken = queue_.take({{"webhook-a", 2}, {"webhook-b", 5}, {"webhook-c", 5}}, 1000, held);
    ASSERT_EQ(taken.size(), 2U); // webhook-c is not claimed
    EXPECT_THAT(offsets_of(taken[0].deliveries), ElementsAre(3, 4));
    EXPECT_THAT(offsets_of(taken[1].deliveries), ElementsAre(8));
    EXPECT_EQ(taken[1].user_id, "uid_1");
}

TEST_F(DeliveryQueue, BytesAreLimitedOverAllEndpointsButEachGetsItsFirst) {
    std::vector<core::ParkedDelivery> batch;
    for (const std::int64_t offset : {1, 2, 3})
        batch.push_back(
            make_parked({.offset = offset, .webhook_id = "webhook-a", .body = std::string(100, 'a')}, past));
    for (const std::int64_t offset : {4, 5, 6})
        batch.push_back(make_parked(
            {.offset = offset, .webhook_id = "webhook-b", .body = std::string(300, 'b')}, past + 1s));
    ASSERT_EQ(queue_.park(batch), "");
    const ports::Claim claim = queue_.claim({10, 10, 600});
    ASSERT_EQ(claim.endpoints.size(), 2U);
    EXPECT_THAT(offsets_of(claim.endpoints[0].deliveries),
                ElementsAre(1, 2)); // 100 + 300 + 100, then 300 is too much
    EXPECT_THAT(offsets_of(claim.endpoints[1].deliveries), ElementsAre(4));
    queue_.release({{"webhook-a", 0, {}}, {"webhook-b", 0, {}}});
    const ports::Claim tiny = queue_.claim({10, 10, 1});
    ASSERT_EQ(tiny.endpoints.size(), 2U);
    EXPECT_THAT(offsets_of(tiny.endpoints[0].deliveries), ElementsAre(1));
    EXPECT_THAT(offsets_of(tiny.endpoints[1].deliveries), ElementsAre(4));
}

TEST_F(DeliveryQueue, AnEndpointWithManyDueRowsLeavesRoomForTheOneOfAnother) {
    database_.execute(
        "INSERT INTO delivery_queue (due_at, record_timestamp, kafka_offset, body_hash, partition, "
        "attempt, webhook_id, user_id, extraction_id, event, event_id, topic, traceparent, "
        "tracestate, body) SELECT now() - interval '1 hour', now(), n, 1, 3, 1, 'webhook-a', 'uid_1', "
        "'x', 'extraction.completed', 'evt_' || n, 'extraction.completed', '', '', '{}' "
        "FROM generate_series(1, 100000) n");
    database_.execute("INSERT INTO queued_endpoints (webhook_id, user_id, due_at) "
                      "VALUES ('webhook-a', 'uid_1', now() - interval '1 hour')");
    ASSERT_EQ(park("webhook-b", {100001}, base::system_now() - 1s), "");
    const ports::Claim claim = queue_.claim({10, 32, 1U << 20U});
    ASSERT_EQ(claim.endpoints.size(), 2U);
    EXPECT_EQ(claim.endpoints[0].deliveries.size(), 32U);
    EXPECT_THAT(offsets_of(claim.endpoints[1].deliveries), ElementsAre(100001));
    EXPECT_FALSE(claim.next_due_in); // the rest is this instance's to take
}

TEST_F(DeliveryQueue, AnEndpointWithFailuresIsProbedWithOneDelivery) {
    ASSERT_EQ(park("webhook-a", {1, 2, 3}), "");
    ASSERT_EQ(queue_.claim().endpoints.size(), 1U);
    queue_.release({{"webhook-a", 7, 0ms}});
    const ports::Claim claim = queue_.claim();
    ASSERT_EQ(claim.endpoints.size(), 1U);
    EXPECT_EQ(claim.endpoints[0].failures, 7U);
    EXPECT_THAT(offsets_of(claim.endpoints[0].deliveries), ElementsAre(1));
}

TEST_F(DeliveryQueue, AReleasedEndpointIsDueWithItsFirstRowButNotBeforeItsPauseIsOver) {
    ASSERT_EQ(park("webhook-a", {1}), "");
    ASSERT_EQ(park("webhook-b", {2}), "");
    ASSERT_EQ(park("webhook-c", {3}), "");
    const ports::Claim claim = queue_.claim();
    ASSERT_EQ(claim.endpoints.size(), 3U);
    // webhook-a: delivered. webhook-b: left alone. webhook-c: tried again in two minutes.
    const auto row_of = [&](std::size_t index) { return claim.endpoints[index].deliveries[0].row_id; };
    ASSERT_EQ(queue_.write({make_attempt({.offset = 1, .webhook_id = "webhook-a", .claimed_row = row_of(0)}),
                            make_attempt({.offset = 3,
                                          .http_status = 500,
                                          .webhook_id = "webhook-c",
                                          .claimed_row = row_of(2),
                                          .next_attempt_at = base::system_now() + 120s})}),
              "");
    queue_.release({{"webhook-a", 0, {}}, {"webhook-b", 3, 60s}, {"webhook-c", 0, {}}});
    EXPECT_EQ(database_.count("queued_endpoints WHERE webhook_id = 'webhook-a'"), 0);
    EXPECT_EQ(
        database_.count("queued_endpoints WHERE webhook_id = 'webhook-b' AND owner IS NULL AND failures = 3 "
                        "AND due_at = not_before AND due_at BETWEEN now() + interval '40 s' AND now() + "
                        "interval '60 s'"),
        1);
    EXPECT_EQ(
        database_.count("queued_endpoints WHERE webhook_id = 'webhook-c' AND owner IS NULL AND not_before IS "
                        "NULL AND due_at BETWEEN now() + interval '100 s' AND now() + interval '120 s'"),
        1);
    EXPECT_THAT(queue_.claim().endpoints, IsEmpty());
}

TEST_F(DeliveryQueue, AnEndpointClaimedWithNothingDueComesEmptyAndIsForgottenOnRelease) {
    database_.execute(
        "INSERT INTO queued_endpoints (webhook_id, user_id, due_at) VALUES ('webhook-a', 'uid_1', now())");
    const ports::Claim claim = queue_.claim();
    ASSERT_EQ(claim.endpoints.size(), 1U);
    EXPECT_THAT(claim.endpoints[0].deliveries, IsEmpty());
    queue_.release({{"webhook-a", 0, {}}});
    EXPECT_EQ(database_.count("queued_endpoints"), 0);
}

TEST_F(DeliveryQueue, WhatWaitsForADeletedWebhookIsEndedByTheNextClaim) {
    ASSERT_EQ(park("webhook-a", {1, 2}, base::system_now() + 3600s), "");
    ASSERT_EQ(park("webhook-b", {3}, past), "");
    database_.execute("DELETE FROM webhooks WHERE id = 'webhook-a'");
    const ports::Claim claim = queue_.claim();
    ASSERT_EQ(claim.endpoints.size(), 1U);
    EXPECT_EQ(claim.endpoints[0].webhook_id, "webhook-b");
    EXPECT_EQ(database_.count("delivery_queue"), 1);
    EXPECT_EQ(database_.count("queued_endpoints"), 1);
    // Deactivated while it is claimed: due at once when it is given back.
    database_.execute("UPDATE webhooks SET active = false WHERE id = 'webhook-b'");
    queue_.release({{"webhook-b", 5, 3600s}});
    EXPECT_THAT(queue_.claim().endpoints, IsEmpty());
    EXPECT_EQ(database_.count("delivery_queue"), 0);
    EXPECT_EQ(database_.count("queued_endpoints"), 0);
}

TEST_F(DeliveryQueue, EndingGoesInPortionsAndSparesActiveWebhooks) {
    database_.execute(
        "INSERT INTO delivery_queue (due_at, record_timestamp, kafka_offset, body_hash, partition, "
        "attempt, webhook_id, user_id, extraction_id, event, event_id, topic, traceparent, "
        "tracestate, body) SELECT now(), now(), n, 1, 3, 1, 'webhook-gone', 'uid_1', "
        "'x', 'extraction.completed', 'evt_' || n, 'extraction.completed', '', '', '{}' "
        "FROM generate_series(1, 15000) n");
    ASSERT_EQ(park("webhook-a", {20000}), "");
    EXPECT_TRUE(queue_.end({"webhook-gone", "webhook-a"}));
    EXPECT_EQ(database_.count("delivery_queue"), 5001);
    EXPECT_FALSE(queue_.end({"webhook-a", "webhook-gone"}));
    EXPECT_EQ(database_.count("delivery_queue"), 1);
    EXPECT_FALSE(queue_.end({}));
}

TEST_F(DeliveryQueue, ARowThatCannotBeReadIsPutOffAndDoesNotHoldUpTheOthers) {
    ASSERT_EQ(park("webhook-a", {1, 2}), "");
    database_.execute("UPDATE delivery_queue SET event = 'extraction.reversed' WHERE kafka_offset = 1");
    const ports::Claim claim = queue_.claim();
    ASSERT_EQ(claim.endpoints.size(), 1U);
    EXPECT_THAT(offsets_of(claim.endpoints[0].deliveries), ElementsAre(2));
    ASSERT_EQ(queue_.write({make_attempt({.offset = 2,
                                          .webhook_id = "webhook-a",
                                          .claimed_row = claim.endpoints[0].deliveries[0].row_id})}),
              "");
    queue_.release({{"webhook-a", 0, {}}});
    const ports::Claim next = queue_.claim();
    EXPECT_THAT(next.endpoints, IsEmpty());
    ASSERT_TRUE(next.next_due_in);
    EXPECT_GT(*next.next_due_in, 3500s);
    EXPECT_EQ(database_.count("delivery_queue"), 1);
}

TEST_F(DeliveryQueue, AnEndpointThatIsBeingWrittenIsNotAskedForInALoop) {
    ASSERT_EQ(park("webhook-a", {1}), "");
    pqxx::connection writer(database_.url());
    pqxx::work lock(writer);
    lock.exec("SELECT 1 FROM queued_endpoints FOR UPDATE");
    const ports::Claim claim = queue_.claim();
    EXPECT_THAT(claim.endpoints, IsEmpty());
    EXPECT_EQ(claim.next_due_in, 20ms);
    lock.abort();
    EXPECT_EQ(queue_.claim().endpoints.size(), 1U);
}

} // namespace
} // namespace docmap::store
