#include "pipeline/replay_guard.hpp"
#include "support/manual_ports.hpp"
#include "support/records.hpp"
#include "support/virtual_scheduler.hpp"

#include <gtest/gtest.h>

namespace docmap::pipeline {
namespace {

using namespace std::chrono_literals;

class ReplayGuardTest : public testing::Test {
  protected:
    void begin(std::int64_t first_offset) {
        guard_.begin(
            std::make_shared<core::Assignment>(core::AssignmentId{1}, test::topic(), 0, first_offset));
    }
    void offer(std::int64_t offset) { guard_.offer(test::make_record({.value = "{}", .offset = offset})); }

    test::VirtualScheduler scheduler_;
    test::ManualRecorded recorded_;
    std::vector<std::pair<std::int64_t, std::size_t>> admitted_; ///< offset, rows recorded of it
    int turns_ = 0;
    ReplayGuard guard_{
        scheduler_, recorded_,
        [this](const core::RecordPtr& record, const std::vector<core::RecordedDelivery>& rows) {
            admitted_.emplace_back(record->offset(), rows.size());
        },
        [this] { ++turns_; }};
};

using Admitted = std::vector<std::pair<std::int64_t, std::size_t>>;

TEST_F(ReplayGuardTest, HoldsRecordsUntilItIsKnownWhatIsRecorded) {
    begin(5);
    ASSERT_EQ(recorded_.questions.size(), 1U);
    EXPECT_EQ(recorded_.questions[0].first_offset, 5);
    offer(5);
    offer(6);
    EXPECT_TRUE(admitted_.empty());
    recorded_.answer(std::vector<core::RecordedDelivery>{{5, "webhook-a", 1}, {7, "webhook-a", 1}});
    EXPECT_EQ(admitted_, (Admitted{{5, 1}, {6, 0}}));
    EXPECT_EQ(turns_, 1);
    offer(7);
    offer(8);
    EXPECT_EQ(admitted_, (Admitted{{5, 1}, {6, 0}, {7, 1}, {8, 0}}));
}

TEST_F(ReplayGuardTest, RecordsOfOtherAssignmentsPass) {
    offer(1);
    EXPECT_EQ(admitted_, (Admitted{{1, 0}}));
}

TEST_F(ReplayGuardTest, AsksAgainAfterAnError) {
    begin(0);
    offer(0);
    recorded_.answer(base::Error{"the database is away"});
    EXPECT_TRUE(recorded_.questions.empty());
    scheduler_.advance(100ms);
    ASSERT_EQ(recorded_.questions.size(), 1U);
    recorded_.answer(base::Error{"the database is away"});
    scheduler_.advance(199ms);
    EXPECT_TRUE(recorded_.questions.empty());
    scheduler_.advance(1ms);
    recorded_.answer(std::vector<core::RecordedDelivery>{});
    EXPECT_EQ(admitted_, (Admitted{{0, 0}}));
}

TEST_F(ReplayGuardTest, ReadsPageAfterPageAndKeepsTheOrder) {
    begin(0);
    const std::size_t limit = recorded_.questions[0].limit;
    std::vector<core::RecordedDelivery> page;
    for (std::size_t i = 0; i < limit; ++i)
        page.push_back({static_cast<std::int64_t>(i), "webhook-a", 1});
    recorded_.answer(std::move(page));
    const auto last = static_cast<std::int64_t>(limit) - 1;
    offer(last - 1);
    offer(last);
    offer(last + 1);
    EXPECT_EQ(admitted_, (Admitted{{last - 1, 1}}));
    ASSERT_EQ(recorded_.questions.size(), 1U);
    EXPECT_EQ(recorded_.questions[0].first_offset, last);
    recorded_.answer(std::vector<core::RecordedDelivery>{{last, "webhook-a", 1}, {last, "webhook-b", 1}});
    EXPECT_EQ(admitted_, (Admitted{{last - 1, 1}, {last, 2}, {last + 1, 0}}));
}

TEST_F(ReplayGuardTest, APageOfOneOffsetIsReadAgainWithAHigherLimit) {
    begin(0);
    const std::size_t limit = recorded_.questions[0].limit;
    recorded_.answer(std::vector<core::RecordedDelivery>(limit, {0, "webhook-a", 1}));
    offer(0);
    ASSERT_EQ(recorded_.questions.size(), 1U);
    EXPECT_EQ(recorded_.questions[0].limit, limit * 2);
}

TEST_F(ReplayGuardTest, AnEndedAssignmentGivesItsRecordsBackAndIgnoresItsAnswer) {
    begin(0);
    offer(0);
    offer(1);
    EXPECT_EQ(guard_.end(core::AssignmentId{1}).size(), 2U);
    recorded_.answer(std::vector<core::RecordedDelivery>{});
    EXPECT_TRUE(admitted_.empty());
    EXPECT_TRUE(guard_.end(core::AssignmentId{1}).empty());
}

} // namespace
} // namespace docmap::pipeline
