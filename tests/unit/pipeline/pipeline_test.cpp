#include "pipeline/pipeline.hpp"
#include "support/manual_ports.hpp"
#include "support/records.hpp"
#include "support/virtual_scheduler.hpp"

#include <gtest/gtest.h>

namespace docmap::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view body =
    R"({"event":"extraction.completed","userId":"u1","extractionId":"x1","data":{"status":"completed"}})";

/// The whole path on one thread with a virtual clock; the outside is answered by the test.
class PipelineTest : public testing::Test {
  protected:
    PipelineTest() {
        shard_.attach(transport_);
        pipeline_.start({{&shard_, &scheduler_}}, source_);
        scheduler_.run();
    }

    core::AssignmentPtr assign(std::uint64_t id = 1, bool answer = true) {
        auto assignment = std::make_shared<core::Assignment>(core::AssignmentId{id}, test::topic(), 0, 0);
        pipeline_.on_assigned({assignment});
        if (answer) recorded_.answer(std::vector<core::RecordedDelivery>{});
        return assignment;
    }
    void receive(std::initializer_list<std::int64_t> offsets, std::string_view value = body,
                 std::uint64_t assignment = 1) {
        std::vector<core::RecordPtr> records;
        for (const std::int64_t offset : offsets)
            records.push_back(test::make_record({.value = value,
                                                 .offset = offset,
                                                 .sequence = static_cast<std::uint64_t>(offset),
                                                 .assignment = assignment}));
        pipeline_.on_records(std::move(records));
        scheduler_.run();
    }
    void load(const std::vector<core::WebhookPtr>& webhooks) {
        subscriptions_.succeed(webhooks);
        scheduler_.run();
    }
    void respond(std::uint16_t http_status) {
        transport_.respond(http_status);
        scheduler_.run();
    }
    void store() {
        scheduler_.advance(config_.delivery.record_linger);
        attempts_.succeed();
        scheduler_.run();
    }

    config::Config config_;
    test::VirtualScheduler scheduler_;
    base::Metrics metrics_;
    test::ManualSource source_;
    test::ManualSubscriptions subscriptions_;
    test::ManualBatchLog<core::AttemptRecord> attempts_;
    test::ManualBatchLog<core::RejectedRecord> rejected_;
    test::ManualRecorded recorded_;
    test::ManualBatchLog<core::ParkedDelivery> parked_;
    test::ManualQueue queue_;
    Pipeline pipeline_{
        config_, {scheduler_, subscriptions_, attempts_, rejected_, recorded_, parked_, queue_}, metrics_};
    async::SharedSlots slots_{100, 1};
    Shard shard_{{}, scheduler_, slots_, pipeline_};
    test::ManualTransport transport_{shard_, scheduler_};
};

TEST_F(PipelineTest, GrantsTheWholeBudgetAtStart) {
    EXPECT_EQ(source_.granted_events, config_.intake.max_events);
    EXPECT_EQ(source_.granted_bytes, config_.intake.max_bytes);
}

TEST_F(PipelineTest, SettlesAnEventOnceEveryDeliveryIsStored) {
    const auto assignment = assign();
    receive({0});
    load({test::make_webhook("webhook-a"), test::make_webhook("webhook-b")});
    ASSERT_EQ(transport_.exchanges.size(), 2U);
    EXPECT_EQ(transport_.exchanges[0]->body, body);
    respond(200);
    store();
    EXPECT_EQ(assignment->settled_offset(), -1);
    respond(500);
    EXPECT_EQ(assignment->settled_offset(), -1) << "sent is not stored";
    store();
    EXPECT_EQ(assignment->settled_offset(), 1);
    EXPECT_EQ(source_.granted_events, config_.intake.max_events + 1);
    EXPECT_EQ(metrics_.attempts_succeeded.Value(), 1.0);
    EXPECT_EQ(metrics_.attempts_failed.Value(), 1.0);
}

TEST_F(PipelineTest, ADatabaseThatIsAwayCausesNoSecondRequest) {
    const auto assignment = assign();
    receive({0});
    load({test::make_webhook("webhook-a")});
    respond(200);
    scheduler_.advance(config_.delivery.record_linger);
    attempts_.fail();
    scheduler_.advance(10s);
    EXPECT_TRUE(transport_.exchanges.empty());
    EXPECT_EQ(assignment->settled_offset(), -1);
    attempts_.succeed();
    EXPECT_EQ(assignment->settled_offset(), 1);
}

TEST_F(PipelineTest, ARecordThatIsNoEventIsKeptAndDoesNotStopThePartition) {
    const auto assignment = assign();
    receive({0}, "not JSON");
    receive({1});
    load({});
    EXPECT_EQ(assignment->settled_offset(), -1);
    scheduler_.advance(config_.delivery.record_linger);
    ASSERT_EQ(rejected_.writes.size(), 1U);
    EXPECT_EQ(rejected_.writes[0].first[0].record->value(), "not JSON");
    rejected_.succeed();
    EXPECT_EQ(assignment->settled_offset(), 2);
    EXPECT_EQ(metrics_.records_rejected.Value(), 1.0);
}

TEST_F(PipelineTest, WhatWasRecordedBeforeIsNotSentAgain) {
    const auto assignment = assign(1, false);
    receive({0, 1});
    EXPECT_TRUE(subscriptions_.loads.empty()) << "records wait for what is recorded";
    core::EventDecoder decoder(100000);
    const auto hash = (*decoder.decode(test::make_record({.value = body})))->body_hash();
    recorded_.answer(std::vector<core::RecordedDelivery>{{0, "webhook-a", hash}});
    scheduler_.run();
    load({test::make_webhook("webhook-a")});
    ASSERT_EQ(transport_.exchanges.size(), 1U);
    EXPECT_EQ(assignment->settled_offset(), 1);
    respond(200);
    store();
    EXPECT_EQ(assignment->settled_offset(), 2);
}

TEST_F(PipelineTest, ARevokedPartitionSettlesNothingAndLeavesTheRestToItsNextOwner) {
    const auto assignment = assign();
    receive({0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
             18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35});
    load({test::make_webhook("webhook-a")});
    ASSERT_EQ(transport_.exchanges.size(), 2U) << "the window of an endpoint that is not known yet";
    pipeline_.on_revoked({core::AssignmentId{1}});
    scheduler_.run();
    while (!transport_.exchanges.empty())
        respond(200);
    store();
    EXPECT_EQ(assignment->settled_offset(), -1);
    EXPECT_EQ(source_.granted_events, config_.intake.max_events + 36);
    EXPECT_EQ(pipeline_.unsettled(), 0U);
    EXPECT_EQ(metrics_.deliveries_dropped.Value(), 34.0);
}

TEST_F(PipelineTest, ADeletedWebhookGetsNothingMoreOnceTheChangeIsAnswered) {
    assign();
    receive({0});
    load({test::make_webhook("webhook-a")});
    respond(200);
    bool done = false;
    pipeline_.change_webhook("u1", "webhook-a", true, [&] { done = true; });
    EXPECT_FALSE(done);
    scheduler_.run();
    EXPECT_TRUE(done);
    receive({1});
    load({});
    EXPECT_TRUE(transport_.exchanges.empty());
}

TEST_F(PipelineTest, AChangeElsewhereMakesItLoadAnew) {
    assign();
    receive({0});
    load({});
    pipeline_.on_webhook_changed("u1", "webhook-a", false);
    receive({1});
    load({test::make_webhook("webhook-a")});
    EXPECT_EQ(transport_.exchanges.size(), 1U);
    pipeline_.on_changes_missed();
    receive({2});
    EXPECT_EQ(subscriptions_.loads.size(), 1U);
}

TEST_F(PipelineTest, DrainStoresWhatEndedAndThenClosesTheSource) {
    const auto assignment = assign();
    receive({0, 1});
    load({test::make_webhook("webhook-a")});
    bool drained = false;
    pipeline_.drain(scheduler_.now() + 12s, scheduler_.now() + 14s, [&] { drained = true; });
    scheduler_.run();
    EXPECT_TRUE(source_.stopped);
    respond(200);
    respond(200);
    EXPECT_FALSE(source_.is_closed);
    while (!attempts_.writes.empty()) {
        attempts_.succeed();
        scheduler_.run();
    }
    EXPECT_FALSE(source_.is_closed) << "what is claimed is given back first";
    ASSERT_EQ(queue_.leaves.size(), 1U);
    test::ManualQueue::take_first(queue_.leaves)({});
    EXPECT_TRUE(source_.is_closed);
    EXPECT_TRUE(drained);
    EXPECT_EQ(assignment->settled_offset(), 2);
}

TEST_F(PipelineTest, AParkedDeliveryIsSettledOnceItIsStored) {
    const auto assignment = assign();
    receive({0});
    auto limited = std::make_shared<core::Webhook>(*test::make_webhook("webhook-a"));
    limited->max_attempts_per_second = 5;
    load({limited});
    EXPECT_TRUE(transport_.exchanges.empty());
    scheduler_.advance(config_.delivery.record_linger);
    ASSERT_EQ(parked_.writes.size(), 1U);
    parked_.fail();
    scheduler_.advance(1s);
    EXPECT_EQ(parked_.last_try, ports::WriteTry::again);
    EXPECT_EQ(assignment->settled_offset(), -1);
    parked_.succeed();
    EXPECT_EQ(assignment->settled_offset(), 1);
    EXPECT_EQ(metrics_.deliveries_parked.Value(), 1.0);
}

TEST_F(PipelineTest, AClaimedDeliveryIsSentAndItsEndSettlesNoRecord) {
    test::ManualQueue::take_first(queue_.renewals)(true);
    scheduler_.advance(20ms);
    ASSERT_EQ(queue_.claims.size(), 1U);
    ports::Claim claim;
    claim.endpoints.push_back(
        {"webhook-a", "u1", 0, {{17, test::make_event({.value = "{}", .assignment = 0}), "webhook-a", 2}}});
    test::ManualQueue::take_first(queue_.claims).done(std::move(claim));
    scheduler_.run();
    load({test::make_webhook("webhook-a")});
    ASSERT_EQ(transport_.exchanges.size(), 1U);
    respond(200);
    scheduler_.advance(config_.delivery.record_linger);
    ASSERT_EQ(attempts_.writes.size(), 1U);
    EXPECT_EQ(attempts_.writes[0].first[0].delivery.attempt, 2);
    attempts_.succeed();
    scheduler_.run();
    EXPECT_EQ(queue_.releases.size(), 1U) << "nothing more is due: its endpoint is given back";
    EXPECT_EQ(pipeline_.unsettled(), 0U);
}

TEST_F(PipelineTest, DrainDoesNotWaitForADatabaseThatStaysAway) {
    const auto assignment = assign();
    receive({0});
    load({test::make_webhook("webhook-a")});
    respond(200);
    bool drained = false;
    pipeline_.drain(scheduler_.now() + 12s, scheduler_.now() + 14s, [&] { drained = true; });
    scheduler_.advance(13999ms);
    EXPECT_FALSE(drained);
    scheduler_.advance(1ms);
    EXPECT_TRUE(drained);
    EXPECT_EQ(assignment->settled_offset(), -1);
}

} // namespace
} // namespace docmap::pipeline
