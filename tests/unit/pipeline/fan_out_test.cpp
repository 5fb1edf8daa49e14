#include "pipeline/fan_out.hpp"
#include "support/manual_ports.hpp"
#include "support/records.hpp"
#include "support/virtual_scheduler.hpp"

#include <gtest/gtest.h>

namespace docmap::pipeline {
namespace {

using namespace std::chrono_literals;

class FanOutTest : public testing::Test {
  protected:
    FanOutTest() {
        settlement_.attach(source_);
        settlement_.open(assignment_);
    }

    void add(std::vector<core::RecordedDelivery> recorded = {}) {
        const auto event =
            test::make_event({.value = "{}", .offset = static_cast<std::int64_t>(next_), .sequence = next_});
        ++next_;
        settlement_.receive(event->record());
        fan_out_.add(event, std::move(recorded));
        fan_out_.flush();
        scheduler_.run();
    }

    test::VirtualScheduler scheduler_;
    test::ManualSource source_;
    test::ManualSubscriptions subscriptions_;
    base::Metrics metrics_;
    Settlement settlement_{1000, metrics_};
    core::AssignmentPtr assignment_ =
        std::make_shared<core::Assignment>(core::AssignmentId{1}, test::topic(), 0, 0);
    std::uint64_t next_ = 0;
    std::vector<std::string> dispatched_; ///< "offset webhook"
    std::vector<std::string> gone_;       ///< webhooks of claimed deliveries
    core::Delivery last_;
    int turns_ = 0;
    FanOut fan_out_{100,
                    scheduler_,
                    subscriptions_,
                    settlement_,
                    metrics_,
                    {[this](const core::Delivery& delivery) {
                         dispatched_.push_back(std::to_string(delivery.event->record().offset()) + " " +
                                               delivery.webhook->id.text());
                         last_ = delivery;
                     },
                     [this](const ClaimedDelivery& gone) { gone_.push_back(gone.webhook_id); },
                     [this] { ++turns_; }}};
};

using Dispatched = std::vector<std::string>;

TEST_F(FanOutTest, MakesADeliveryForEachWebhookOnceTheyAreLoaded) {
    add();
    EXPECT_TRUE(dispatched_.empty());
    ASSERT_EQ(subscriptions_.loads.size(), 1U);
    EXPECT_EQ(subscriptions_.loads[0].first, Dispatched{"u1"});
    subscriptions_.succeed({test::make_webhook("a"), test::make_webhook("b")});
    EXPECT_EQ(dispatched_, (Dispatched{"0 a", "0 b"}));
    EXPECT_EQ(turns_, 1);
    add();
    EXPECT_EQ(dispatched_, (Dispatched{"0 a", "0 b", "1 a", "1 b"})) << "known users need no load";
    EXPECT_TRUE(subscriptions_.loads.empty());
}

TEST_F(FanOutTest, AddedEventsAreDispatchedInOrderByTheNextFlushAtLatest) {
    constexpr std::uint64_t many = 100;
    add();
    subscriptions_.succeed({test::make_webhook("a")});
    Dispatched expected{"0 a"};
    for (std::uint64_t number = 1; number <= many; ++number) {
        const auto event = test::make_event(
            {.value = "{}", .offset = static_cast<std::int64_t>(number), .sequence = number});
        settlement_.receive(event->record());
        fan_out_.add(event, {});
        expected.push_back(std::to_string(number) + " a");
    }
    EXPECT_LT(dispatched_.size(), expected.size()) << "the last ones wait for others";
    EXPECT_GT(dispatched_.size(), many / 2) << "but not all of them";
    fan_out_.flush();
    EXPECT_EQ(dispatched_, expected);
    fan_out_.flush();
    EXPECT_EQ(dispatched_, expected);
}

TEST_F(FanOutTest, AnEventWithoutWebhooksIsSettledAtOnce) {
    add();
    subscriptions_.succeed({});
    EXPECT_EQ(settlement_.unsettled(), 0U);
    add();
    EXPECT_EQ(settlement_.unsettled(), 0U);
}

TEST_F(FanOutTest, OnlySubscribedEventsCount) {
    auto failed_only = std::make_shared<core::Webhook>(*test::make_webhook("b"));
    failed_only->events = {core::EventType::extraction_failed};
    add();
    subscriptions_.succeed({test::make_webhook("a"), failed_only});
    EXPECT_EQ(dispatched_, Dispatched{"0 a"});
}

TEST_F(FanOutTest, WhatIsRecordedIsNotSentAgainUnlessTheBodyDiffers) {
    add({{0, "a", 7}, {0, "b", 8}});
    subscriptions_.succeed({test::make_webhook("a"), test::make_webhook("b"), test::make_webhook("c")});
    EXPECT_EQ(dispatched_, (Dispatched{"0 b", "0 c"}));
    EXPECT_EQ(metrics_.deliveries_skipped.Value(), 1.0);
    add({{1, "a", 7}, {1, "b", 7}, {1, "c", 7}});
    EXPECT_EQ(settlement_.unsettled(), 1U) << "an event whose every delivery is recorded is settled";
}

TEST_F(FanOutTest, AClaimedDeliveryGoesToItsOwnWebhookAlone) {
    auto failed_only = std::make_shared<core::Webhook>(*test::make_webhook("b"));
    failed_only->events = {core::EventType::extraction_failed};
    const auto claim = std::make_shared<const core::QueueClaim>(core::QueueClaim{17, nullptr});
    const auto event = test::make_event({.value = "{}", .offset = 5, .assignment = 0});
    fan_out_.add_claimed(event, {"b", claim, 3});
    fan_out_.add_claimed(event, {"deleted", claim, 1});
    fan_out_.flush();
    scheduler_.run();
    subscriptions_.succeed({test::make_webhook("a"), failed_only});
    EXPECT_EQ(dispatched_, Dispatched{"5 b"})
        << "it was owed when it was stored, whatever is subscribed to now";
    EXPECT_EQ(last_.attempt, 3);
    EXPECT_EQ(last_.claim, claim);
    EXPECT_EQ(gone_, Dispatched{"deleted"});
}

TEST_F(FanOutTest, ChangesMakeItLoadAnew) {
    add();
    subscriptions_.succeed({test::make_webhook("a")});
    fan_out_.forget("u1");
    add();
    ASSERT_EQ(subscriptions_.loads.size(), 1U);
    subscriptions_.succeed({test::make_webhook("b")});
    fan_out_.forget_all();
    add();
    subscriptions_.succeed({test::make_webhook("c")});
    EXPECT_EQ(dispatched_, (Dispatched{"0 a", "1 b", "2 c"}));
}

TEST_F(FanOutTest, AChangeDuringALoadMakesTheAnswerWorthless) {
    add();
    fan_out_.forget("u1");
    subscriptions_.succeed({test::make_webhook("old")});
    EXPECT_TRUE(dispatched_.empty());
    ASSERT_EQ(subscriptions_.loads.size(), 1U);
    subscriptions_.succeed({test::make_webhook("new")});
    EXPECT_EQ(dispatched_, Dispatched{"0 new"});
}

TEST_F(FanOutTest, AFailedLoadIsTriedAgainAndTheEventsWait) {
    add();
    subscriptions_.fail();
    add();
    scheduler_.advance(99ms);
    EXPECT_TRUE(subscriptions_.loads.empty());
    scheduler_.advance(1ms);
    ASSERT_EQ(subscriptions_.loads.size(), 1U);
    subscriptions_.succeed({test::make_webhook("a")});
    EXPECT_EQ(dispatched_, (Dispatched{"0 a", "1 a"}));
}

TEST_F(FanOutTest, EventsOfARevokedAssignmentAreNotSent) {
    add();
    settlement_.revoke(core::AssignmentId{1});
    subscriptions_.succeed({test::make_webhook("a")});
    EXPECT_TRUE(dispatched_.empty());
    EXPECT_EQ(settlement_.unsettled(), 0U);
}

} // namespace
} // namespace docmap::pipeline
