#include "pipeline/pump.hpp"
#include "support/records.hpp"
#include "support/virtual_scheduler.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <utility>

namespace docmap::pipeline {
namespace {

using namespace std::chrono_literals;

/// The delivery queue, answered by the test.
class ManualQueue final : public ports::DeliveryQueue {
  public:
    void keep_alive(Done<bool> done) override { keeps.push_back(std::move(done)); }
    void claim(ports::ClaimLimits limits, std::vector<std::int64_t>, Done<ports::Claim> done) override {
        claims.emplace_back(limits, std::move(done));
    }
    void take(std::vector<ports::TakeRequest> requests, std::size_t, std::vector<std::int64_t>,
              Done<std::vector<ports::ClaimedEndpoint>> done) override {
        takes.emplace_back(std::move(requests), std::move(done));
    }
    void release_unknown(std::vector<std::string> known, Done<void> done) override {
        unknown.emplace_back(std::move(known), std::move(done));
    }
    void release(std::vector<ports::EndpointRelease> endpoints, Done<void> done) override {
        releases.emplace_back(std::move(endpoints), std::move(done));
    }
    void end(std::vector<std::string>, Done<bool>) override {}
    void leave(Done<void>) override {}

    template<typename Calls>
    static auto take_first(Calls& calls) {
        auto first = std::move(calls.at(0));
        calls.pop_front();
        return first;
    }

    std::deque<Done<bool>> keeps;
    std::deque<std::pair<ports::ClaimLimits, Done<ports::Claim>>> claims;
    std::deque<std::pair<std::vector<ports::TakeRequest>, Done<std::vector<ports::ClaimedEndpoint>>>> takes;
    std::deque<std::pair<std::vector<std::string>, Done<void>>> unknown;
    std::deque<std::pair<std::vector<ports::EndpointRelease>, Done<void>>> releases;
};

class PumpTest : public testing::Test {
  protected:
    void start() {
        pump_.start();
        ManualQueue::take_first(queue_.keeps)(true);
        scheduler_.advance(100ms);
    }
    static ports::ClaimedEndpoint endpoint(const std::string& id, std::initializer_list<std::int64_t> rows) {
        ports::ClaimedEndpoint claimed{id, "u1", 0, {}};
        for (const std::int64_t row : rows)
            claimed.deliveries.push_back({row, test::make_event({.value = "{}", .offset = row}), id, 1});
        return claimed;
    }
    void answer_claim(std::vector<ports::ClaimedEndpoint> endpoints) {
        ManualQueue::take_first(queue_.claims).second(ports::Claim{std::move(endpoints), std::nullopt});
        scheduler_.advance(100ms);
    }
    void store(std::size_t index, const core::WebhookPtr& webhook) {
        core::AttemptRecord attempt;
        attempt.delivery.webhook = webhook;
        attempt.delivery.claim = delivered_[index];
        attempt.success = true;
        pump_.on_stored(attempt);
        scheduler_.run();
    }
    void take_nothing() {
        ManualQueue::take_first(queue_.takes).second(std::vector<ports::ClaimedEndpoint>{});
        scheduler_.run();
    }

    PumpSettings settings() {
        PumpSettings settings;
        settings.max_claimed_events = 4;
        return settings;
    }

    test::VirtualScheduler scheduler_;
    base::Metrics metrics_;
    ManualQueue queue_;
    std::vector<std::shared_ptr<const core::QueueClaim>> delivered_;
    Pump pump_{settings(),
               scheduler_,
               queue_,
               metrics_,
               [this](const ports::QueuedDelivery&, std::shared_ptr<const core::QueueClaim> claim) {
                   delivered_.push_back(std::move(claim));
               },
               [] {}};
};

TEST_F(PumpTest, AClaimWhoseAnswerIsLostIsGivenBackBeforeTheNextOne) {
    start();
    ManualQueue::take_first(queue_.claims).second(base::Error{"the connection was lost"});
    scheduler_.advance(1s);
    EXPECT_TRUE(queue_.claims.empty());
    ASSERT_EQ(queue_.unknown.size(), 1U);
    EXPECT_TRUE(queue_.unknown.front().first.empty());
    ManualQueue::take_first(queue_.unknown).second({});
    scheduler_.advance(1s);
    EXPECT_EQ(queue_.claims.size(), 1U);
}

TEST_F(PumpTest, AsksForNoMoreThanItMayHold) {
    start();
    answer_claim({endpoint("w1", {1, 2, 3, 4})});
    const auto webhook = test::make_webhook("w1");
    store(0, webhook);
    store(1, webhook);
    ASSERT_EQ(queue_.takes.size(), 1U);
    EXPECT_LE(queue_.takes.front().first.at(0).max_deliveries, 2U);
}

TEST_F(PumpTest, AnEndpointThatIsClaimedAnewLeavesWhatIsUnderWayToEndAlone) {
    start();
    answer_claim({endpoint("w1", {1, 2})});
    take_nothing();
    pump_.wake();
    scheduler_.advance(1s);
    answer_claim({endpoint("w1", {3})});
    const auto webhook = test::make_webhook("w1");
    store(0, webhook);
    store(1, webhook);
    EXPECT_EQ(pump_.held(), 1U);
    store(2, webhook);
    EXPECT_EQ(pump_.held(), 0U);
}

TEST_F(PumpTest, ALateAnswerOfAReleaseDoesNotForgetANewClaim) {
    start();
    answer_claim({endpoint("w1", {1})});
    const auto webhook = test::make_webhook("w1");
    store(0, webhook);
    take_nothing();
    ASSERT_EQ(queue_.releases.size(), 1U);
    pump_.wake();
    scheduler_.advance(1s);
    answer_claim({endpoint("w1", {2})});
    ManualQueue::take_first(queue_.releases).second({});
    store(1, webhook);
    EXPECT_EQ(queue_.takes.size(), 1U) << "it is still claimed";
}

TEST_F(PumpTest, AnEndpointWithARateLimitRestsBetweenTwoClaims) {
    start();
    answer_claim({endpoint("w1", {1})});
    auto webhook = std::make_shared<core::Webhook>(*test::make_webhook("w1"));
    webhook->max_attempts_per_second = 2;
    store(0, webhook);
    take_nothing();
    ASSERT_EQ(queue_.releases.size(), 1U);
    EXPECT_EQ(queue_.releases.front().first.at(0).pause, 500ms);
}

} // namespace
} // namespace docmap::pipeline
