#include "pipeline/pump.hpp"
#include "support/manual_ports.hpp"
#include "support/records.hpp"
#include "support/virtual_scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::pipeline {
namespace {

using namespace std::chrono_literals;
using test::ManualQueue;
using testing::ElementsAre;
using testing::IsEmpty;

class PumpTest : public testing::Test {
  protected:
    static PumpSettings settings() {
        PumpSettings settings;
        settings.lease = 30s;
        settings.attempt_time = 12s;
        settings.max_claimed_events = 10;
        settings.max_claimed_bytes = 100'000;
        settings.max_events_per_endpoint = 8;
        settings.statement_time = 10s;
        settings.breaker = {3, 5s, 20s};
        return settings;
    }

    void start() {
        pump_.start();
        answer_renewal(true);
        scheduler_.run();
    }
    void answer_renewal(bool kept) {
        ManualQueue::take_first(queue_.renewals)(kept);
        scheduler_.run();
    }

    static ports::QueuedDelivery queued(std::int64_t row, const std::string& webhook = "a") {
        return {row, test::make_event({.value = "{}", .offset = row, .assignment = 0}), webhook, 1};
    }
    static ports::ClaimedEndpoint endpoint(const std::string& id, std::vector<std::int64_t> rows,
                                           std::uint32_t failures = 0) {
        ports::ClaimedEndpoint claimed{id, "u1", failures, {}};
        for (const std::int64_t row : rows)
            claimed.deliveries.push_back(queued(row, id));
        return claimed;
    }
    void answer_claim(std::vector<ports::ClaimedEndpoint> endpoints,
                      std::optional<std::chrono::milliseconds> next_due_in = {}) {
        ManualQueue::take_first(queue_.claims).done(ports::Claim{std::move(endpoints), next_due_in});
        scheduler_.run();
    }
    void answer_take(std::vector<ports::ClaimedEndpoint> endpoints) {
        ManualQueue::take_first(queue_.takes).done(std::move(endpoints));
        scheduler_.run();
    }
    void store(std::int64_t row, bool endpoint_failed = false) {
        core::AttemptRecord attempt;
        attempt.delivery = {delivered_.at(row).event, test::make_webhook("a"), claims_.at(row)};
        attempt.success = !endpoint_failed;
        attempt.endpoint_failed = endpoint_failed;
        pump_.on_stored(attempt);
        scheduler_.run();
    }
    void give_back(std::int64_t row, std::optional<base::SystemTime> not_before = {}) {
        core::ParkedDelivery returned;
        returned.delivery = {delivered_.at(row).event, test::make_webhook("a"), claims_.at(row)};
        returned.not_before = not_before;
        pump_.on_returned(returned);
        scheduler_.run();
    }
    std::vector<ports::EndpointRelease> releases() {
        if (queue_.releases.empty()) return {};
        auto releasing = ManualQueue::take_first(queue_.releases);
        releasing.done({});
        scheduler_.run();
        return releasing.releases;
    }

    test::VirtualScheduler scheduler_;
    ManualQueue queue_;
    base::Metrics metrics_;
    std::map<std::int64_t, ports::QueuedDelivery> delivered_;
    std::map<std::int64_t, std::shared_ptr<const core::QueueClaim>> claims_;
    Pump pump_{settings(),
               scheduler_,
               queue_,
               metrics_,
               [this](ports::QueuedDelivery delivery, std::shared_ptr<const core::QueueClaim> claim) {
                   claims_[delivery.row_id] = std::move(claim);
                   const std::int64_t row = delivery.row_id;
                   delivered_.insert_or_assign(row, std::move(delivery));
               },
               [] {}};
};

TEST_F(PumpTest, ClaimsNothingBeforeTheOthersKnowOfIt) {
    pump_.start();
    scheduler_.run();
    EXPECT_TRUE(queue_.claims.empty());
    pump_.wake();
    scheduler_.advance(1s);
    EXPECT_TRUE(queue_.claims.empty());
    answer_renewal(true);
    EXPECT_EQ(queue_.claims.size(), 1U);
}

TEST_F(PumpTest, SleepsUntilTheNextIsDue) {
    start();
    answer_claim({}, 3600s);
    scheduler_.advance(9s);
    EXPECT_TRUE(queue_.claims.empty());
    pump_.wake_at(scheduler_.wall_now() + 500ms);
    scheduler_.advance(499ms);
    EXPECT_TRUE(queue_.claims.empty());
    scheduler_.advance(1ms);
    EXPECT_EQ(queue_.claims.size(), 1U);
}

TEST_F(PumpTest, LooksAgainWithEachSignOfLife) {
    start();
    answer_claim({});
    scheduler_.advance(10s);
    EXPECT_TRUE(queue_.claims.empty());
    answer_renewal(true);
    EXPECT_EQ(queue_.claims.size(), 1U);
}

TEST_F(PumpTest, ManyWakesAreFewClaims) {
    start();
    answer_claim({});
    int claims = 0;
    for (int i = 0; i < 100; ++i) {
        pump_.wake();
        scheduler_.advance(1ms);
        if (queue_.claims.empty()) continue;
        ++claims;
        answer_claim({});
    }
    EXPECT_LE(claims, 5);
}

TEST_F(PumpTest, HandsOutMoreAsItsDeliveriesEndAndThenGivesTheEndpointBack) {
    start();
    answer_claim({endpoint("a", {1, 2, 3, 4})});
    EXPECT_EQ(delivered_.size(), 4U);
    store(1);
    ASSERT_EQ(queue_.takes.size(), 1U) << "the batch has grown to eight";
    ASSERT_EQ(queue_.takes.front().requests.size(), 1U);
    EXPECT_EQ(queue_.takes.front().requests[0].max_deliveries, 5U);
    answer_take({endpoint("a", {5})});
    for (const int row : {2, 3, 4, 5})
        store(row);
    EXPECT_TRUE(queue_.takes.empty()) << "less came than was asked for: nothing more is due";
    const auto released = releases();
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].webhook_id, "a");
    EXPECT_EQ(released[0].failures, 0U);
    EXPECT_FALSE(released[0].pause);
    EXPECT_EQ(pump_.held(), 0U);
}

TEST_F(PumpTest, AnEndpointThatFailsIsLeftAloneForLongerEachTime) {
    start();
    answer_claim({endpoint("a", {1}, 2)});
    store(1, true);
    auto released = releases();
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].failures, 3U);
    EXPECT_EQ(released[0].pause, 5s);
    scheduler_.advance(20ms);
    answer_claim({endpoint("a", {2}, 3)});
    store(2, true);
    released = releases();
    EXPECT_EQ(released[0].pause, 10s);
}

TEST_F(PumpTest, AnEndpointWithFailuresGetsOneAtATimeUntilOneSucceeds) {
    start();
    answer_claim({endpoint("a", {1}, 1)});
    store(1, true);
    ASSERT_EQ(queue_.takes.size(), 1U);
    EXPECT_EQ(queue_.takes.front().requests[0].max_deliveries, 1U);
    answer_take({endpoint("a", {2})});
    store(2);
    ASSERT_EQ(queue_.takes.size(), 1U);
    EXPECT_EQ(queue_.takes.front().requests[0].max_deliveries, 8U);
}

TEST_F(PumpTest, WhatIsReturnedWaitsBeforeItIsClaimedAgain) {
    start();
    answer_claim({endpoint("a", {1, 2})});
    give_back(1);
    EXPECT_THAT(releases(), IsEmpty()) << "another of its deliveries is under way";
    give_back(2, scheduler_.wall_now() + 7s);
    const auto released = releases();
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].pause, 7s);
    EXPECT_EQ(released[0].failures, 3U) << "its breaker is open: the next is a probe";
}

TEST_F(PumpTest, EndsWhatWaitsForAWebhookThatIsGone) {
    start();
    answer_claim({endpoint("a", {1})});
    pump_.on_webhook_gone(*claims_.at(1));
    scheduler_.run();
    ASSERT_EQ(queue_.ends.size(), 1U);
    EXPECT_THAT(queue_.ends.front().webhook_ids, ElementsAre("a"));
    ManualQueue::take_first(queue_.ends).done(true);
    scheduler_.run();
    ASSERT_EQ(queue_.ends.size(), 1U) << "rows are left";
    ManualQueue::take_first(queue_.ends).done(false);
    scheduler_.run();
    EXPECT_EQ(releases().size(), 1U);
}

TEST_F(PumpTest, AnEndpointWithNothingDueMayHaveLostItsWebhook) {
    start();
    answer_claim({endpoint("a", {})});
    ASSERT_EQ(queue_.ends.size(), 1U);
    ManualQueue::take_first(queue_.ends).done(false);
    scheduler_.run();
    const auto released = releases();
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].pause, 1s) << "not in a loop";
}

TEST_F(PumpTest, HoldsNoMoreThanItMay) {
    start();
    ASSERT_EQ(queue_.claims.size(), 1U);
    EXPECT_EQ(queue_.claims.front().limits.deliveries_per_endpoint, 4U);
    EXPECT_EQ(queue_.claims.front().limits.endpoints, 2U);
    answer_claim({endpoint("a", {1, 2, 3, 4}), endpoint("b", {5, 6, 7, 8})});
    scheduler_.advance(20ms);
    ASSERT_EQ(queue_.claims.size(), 1U);
    EXPECT_EQ(queue_.claims.front().limits.deliveries_per_endpoint, 2U);
    EXPECT_EQ(queue_.claims.front().limits.endpoints, 1U);
    EXPECT_EQ(queue_.claims.front().held.size(), 8U);
    answer_claim({endpoint("c", {9, 10})});
    pump_.wake();
    scheduler_.advance(1s);
    EXPECT_TRUE(queue_.claims.empty()) << "all places are taken";
    store(9);
    scheduler_.advance(20ms);
    EXPECT_EQ(queue_.claims.size(), 1U);
}

TEST_F(PumpTest, TheLeasePermitsNoAttemptThatCouldOutlastIt) {
    start();
    answer_claim({endpoint("a", {1})});
    const core::Lease& lease = *claims_.at(1)->lease;
    EXPECT_TRUE(lease.permits(scheduler_.now() + 17999ms));
    EXPECT_FALSE(lease.permits(scheduler_.now() + 18s));
    scheduler_.advance(10s);
    ASSERT_EQ(queue_.renewals.size(), 1U);
    scheduler_.advance(2s);
    answer_renewal(true);
    EXPECT_FALSE(lease.permits(scheduler_.now() + 16s)) << "counted from the question, not from the answer";
    EXPECT_TRUE(lease.permits(scheduler_.now() + 15999ms));
}

TEST_F(PumpTest, ASignOfLifeThatFailsIsTriedAgainSoon) {
    start();
    scheduler_.advance(10s);
    ManualQueue::take_first(queue_.renewals)(base::Error{"the database is away"});
    scheduler_.advance(1s);
    EXPECT_EQ(queue_.renewals.size(), 1U);
}

TEST_F(PumpTest, LostClaimsAreVoidAndWhatIsUnderWayIsNotTakenAgain) {
    start();
    answer_claim({endpoint("a", {1, 2})});
    const auto old_lease = claims_.at(1)->lease;
    scheduler_.advance(10s);
    answer_renewal(false);
    EXPECT_FALSE(old_lease->permits(scheduler_.now()));
    scheduler_.advance(20ms);
    ASSERT_EQ(queue_.claims.size(), 1U);
    EXPECT_EQ(queue_.claims.front().held.size(), 2U);
    answer_claim({endpoint("a", {3, 4, 5, 6})});
    EXPECT_TRUE(claims_.at(3)->lease->permits(scheduler_.now()));
    store(1);
    EXPECT_TRUE(queue_.takes.empty()) << "an old delivery says nothing about the new claim";
    store(3);
    EXPECT_EQ(queue_.takes.size(), 1U);
}

TEST_F(PumpTest, AnEndpointThatIsClaimedAnewLeavesWhatIsUnderWayToEndAlone) {
    start();
    answer_claim({endpoint("a", {1, 2})});
    pump_.wake();
    scheduler_.advance(20ms);
    answer_claim({endpoint("a", {3})});
    store(1);
    store(2);
    EXPECT_TRUE(queue_.releases.empty());
    EXPECT_EQ(pump_.held(), 1U);
    store(3);
    EXPECT_EQ(queue_.releases.size(), 1U);
}

TEST_F(PumpTest, ALateAnswerOfAReleaseDoesNotForgetANewClaim) {
    start();
    answer_claim({endpoint("a", {1})});
    store(1);
    ASSERT_EQ(queue_.releases.size(), 1U);
    pump_.wake();
    scheduler_.advance(20ms);
    answer_claim({endpoint("a", {2})});
    releases();
    store(2);
    EXPECT_EQ(queue_.releases.size(), 1U) << "it was still claimed";
}

TEST_F(PumpTest, AnEndpointWithARateLimitRestsBetweenTwoClaims) {
    start();
    answer_claim({endpoint("a", {1})});
    auto limited = std::make_shared<core::Webhook>(*test::make_webhook("a"));
    limited->max_attempts_per_second = 2;
    core::AttemptRecord attempt;
    attempt.delivery = {delivered_.at(1).event, limited, claims_.at(1)};
    attempt.success = true;
    pump_.on_stored(attempt);
    scheduler_.run();
    const auto released = releases();
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].pause, 500ms);
    EXPECT_TRUE(released[0].keeps_pause);
}

TEST_F(PumpTest, AnAnswerFromBeforeALossIsVoid) {
    start();
    ASSERT_EQ(queue_.claims.size(), 1U);
    scheduler_.advance(10s);
    answer_renewal(false);
    answer_claim({endpoint("a", {1}, 2)});
    EXPECT_TRUE(delivered_.empty());
    scheduler_.advance(20ms);
    EXPECT_EQ(queue_.claims.size(), 1U) << "under the new name";
}

TEST_F(PumpTest, AWebhookThatCannotBeUsedIsNotClaimedInALoop) {
    start();
    answer_claim({endpoint("a", {1})});
    pump_.on_webhook_gone(*claims_.at(1));
    scheduler_.run();
    ManualQueue::take_first(queue_.ends).done(false);
    scheduler_.run();
    const auto released = releases();
    ASSERT_EQ(released.size(), 1U);
    EXPECT_EQ(released[0].pause, 60s) << "it is active, so nothing was ended";
}

TEST_F(PumpTest, FindsOutWhatAClaimWithoutAnAnswerHasClaimed) {
    start();
    ManualQueue::take_first(queue_.claims).done(base::Error{"the database is away"});
    scheduler_.advance(249ms);
    EXPECT_TRUE(queue_.unknown_releases.empty());
    scheduler_.advance(1ms);
    ASSERT_EQ(queue_.unknown_releases.size(), 1U);
    EXPECT_TRUE(queue_.claims.empty()) << "not before what it may have claimed is free again";
    ManualQueue::take_first(queue_.unknown_releases).done({});
    scheduler_.run();
    answer_claim({endpoint("a", {1})});

    // The statement may still be under way in the database.
    pump_.wake();
    scheduler_.advance(20ms);
    ASSERT_EQ(queue_.unknown_releases.size(), 1U);
    EXPECT_THAT(queue_.unknown_releases.front().known, ElementsAre("a"));
    ManualQueue::take_first(queue_.unknown_releases).done({});
    scheduler_.run();
    answer_claim({});
    scheduler_.advance(10s);
    answer_renewal(true);
    EXPECT_EQ(queue_.claims.size(), 1U) << "its time is over";
}

TEST_F(PumpTest, ErrorsOfTheDatabaseAreOvercome) {
    start();
    answer_claim({endpoint("a", {1, 2, 3, 4})});
    store(1);
    ManualQueue::take_first(queue_.takes).done(base::Error{"the database is away"});
    scheduler_.advance(1s);
    answer_take({});
    for (const int row : {2, 3, 4})
        store(row);
    ManualQueue::take_first(queue_.releases).done(base::Error{"the database is away"});
    scheduler_.advance(1s);
    ASSERT_EQ(queue_.unknown_releases.size(), 1U) << "it may be given back or not";
    EXPECT_THAT(queue_.unknown_releases.front().known, IsEmpty());
}

TEST_F(PumpTest, LeavesAtItsEndAndClaimsNothingMore) {
    start();
    answer_claim({endpoint("a", {1})});
    pump_.stop();
    store(1);
    scheduler_.advance(60s);
    EXPECT_TRUE(queue_.claims.empty());
    EXPECT_TRUE(queue_.takes.empty());
    bool left = false;
    pump_.leave([&] { left = true; });
    EXPECT_FALSE(left);
    ManualQueue::take_first(queue_.leaves)(base::Error{"the database is away"});
    EXPECT_TRUE(left);
}

} // namespace
} // namespace docmap::pipeline
