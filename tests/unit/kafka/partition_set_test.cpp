#include "core/topic_name.hpp"
#include "kafka/partition_set.hpp"
#include "kafka/record_maker.hpp"

#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

AssignedPartition assigned(std::int64_t committed) {
    AssignedPartition partition;
    partition.assignment =
        std::make_shared<core::Assignment>(next_assignment_id(), core::intern_topic("t"), 0, 0);
    partition.committed_offset = committed;
    return partition;
}

TEST(AssignedPartition, CommitsOnlyWhatMoved) {
    AssignedPartition partition = assigned(10);
    EXPECT_EQ(partition.offset_to_commit(), -1) << "nothing is settled";
    partition.assignment->publish_settled(10);
    EXPECT_EQ(partition.offset_to_commit(), -1) << "committed before";
    partition.assignment->publish_settled(12);
    EXPECT_EQ(partition.offset_to_commit(), 12);
}

TEST(AssignedPartition, CommitsTheFirstSettledOffsetOfAFreshPartition) {
    AssignedPartition partition = assigned(-1);
    partition.assignment->publish_settled(1);
    EXPECT_EQ(partition.offset_to_commit(), 1);
}

TEST(AssignedPartition, CommitsAStartThatWouldNotBeFoundAgain) {
    AssignedPartition partition = assigned(-1);
    partition.start_to_commit = 0;
    EXPECT_EQ(partition.offset_to_commit(), 0) << "the end of an empty partition";
    partition.start_to_commit = 50;
    EXPECT_EQ(partition.offset_to_commit(), 50);
    partition.assignment->publish_settled(51);
    EXPECT_EQ(partition.offset_to_commit(), 51);
}

TEST(AssignmentIds, AreNeverUsedAgain) {
    EXPECT_NE(next_assignment_id(), next_assignment_id());
}

} // namespace
} // namespace docmap::kafka
