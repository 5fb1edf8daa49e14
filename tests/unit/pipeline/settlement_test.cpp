#include "pipeline/settlement.hpp"
#include "support/manual_ports.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

namespace docmap::pipeline {
namespace {

class SettlementTest : public testing::Test {
  protected:
    SettlementTest() { settlement_.attach(source_); }

    core::AssignmentPtr open(std::uint64_t id) {
        auto assignment = std::make_shared<core::Assignment>(core::AssignmentId{id}, test::topic(), 0, 0);
        settlement_.open(assignment);
        return assignment;
    }
    core::RecordPtr receive(std::uint64_t assignment, std::uint64_t sequence) {
        auto record = test::make_record({.value = "{}",
                                         .offset = static_cast<std::int64_t>(sequence),
                                         .sequence = sequence,
                                         .assignment = assignment});
        settlement_.receive(*record);
        return record;
    }

    base::Metrics metrics_;
    test::ManualSource source_;
    Settlement settlement_{10, metrics_};
};

TEST_F(SettlementTest, PublishesThePrefixAndGivesTheBudgetBack) {
    const auto assignment = open(1);
    const auto first = receive(1, 0);
    const auto second = receive(1, 1);
    settlement_.expect(*first, 2);
    settlement_.expect(*second, 1);
    settlement_.settle_one(*second);
    settlement_.settle_one(*first);
    settlement_.flush();
    EXPECT_EQ(assignment->settled_offset(), -1);
    EXPECT_EQ(source_.granted_events, 1U);
    EXPECT_EQ(source_.granted_bytes, second->budget_bytes());
    settlement_.settle_one(*first);
    EXPECT_EQ(source_.granted_events, 1U) << "nothing is given back before the turn ends";
    settlement_.flush();
    EXPECT_EQ(assignment->settled_offset(), 2);
    EXPECT_EQ(source_.granted_events, 2U);
    EXPECT_EQ(settlement_.unsettled(), 0U);
}

TEST_F(SettlementTest, ARevokedAssignmentPublishesNothingButGivesItsBudgetBack) {
    const auto assignment = open(1);
    const auto record = receive(1, 0);
    settlement_.expect(*record, 1);
    EXPECT_TRUE(settlement_.live(core::AssignmentId{1}));
    settlement_.revoke(core::AssignmentId{1});
    EXPECT_FALSE(settlement_.live(core::AssignmentId{1}));
    settlement_.settle_one(*record);
    settlement_.flush();
    EXPECT_EQ(assignment->settled_offset(), -1);
    EXPECT_EQ(source_.granted_events, 1U);
}

TEST_F(SettlementTest, TheSamePartitionAssignedAgainStartsAfresh) {
    open(1);
    const auto old_record = receive(1, 0);
    settlement_.expect(*old_record, 1);
    settlement_.revoke(core::AssignmentId{1});
    const auto assignment = open(2);
    const auto new_record = receive(2, 0);
    settlement_.expect(*new_record, 1);
    settlement_.settle_one(*old_record);
    settlement_.flush();
    EXPECT_EQ(assignment->settled_offset(), -1)
        << "a late completion of the old assignment settles nothing here";
    settlement_.settle_one(*new_record);
    settlement_.flush();
    EXPECT_EQ(assignment->settled_offset(), 1);
}

TEST_F(SettlementTest, HoldsTheBudgetBackWhileALedgerIsTooLong) {
    open(1);
    const auto head = receive(1, 0);
    settlement_.expect(*head, 1);
    for (std::uint64_t sequence = 1; sequence <= 15; ++sequence)
        settlement_.expect(*receive(1, sequence), 0);
    settlement_.flush();
    EXPECT_EQ(source_.granted_events, 0U);
    settlement_.settle_one(*head);
    settlement_.flush();
    EXPECT_EQ(source_.granted_events, 16U);
}

TEST_F(SettlementTest, RevokingAnUnknownOrEmptyAssignmentIsHarmless) {
    open(1);
    settlement_.revoke(core::AssignmentId{1});
    settlement_.revoke(core::AssignmentId{77});
    EXPECT_FALSE(settlement_.live(core::AssignmentId{1}));
}

} // namespace
} // namespace docmap::pipeline
