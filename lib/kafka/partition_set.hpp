// The partitions assigned to this process: their queues, their sequence of records, and what of them is
// committed. Lives on the Kafka thread; owned by the group member.
#pragma once

#include "core/assignment.hpp"
#include "kafka/handles.hpp"
#include "kafka/log_gate.hpp"
#include "kafka/wakeup.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace docmap::kafka {

struct AssignedPartition {
    core::AssignmentPtr assignment;
    std::unique_ptr<QueueSignal> filled;
    QueuePtr queue;                     ///< the partition's own, so that leaving it unread holds it back
    std::uint64_t next_sequence = 0;    ///< of the next record
    std::int64_t committed_offset = -1; ///< as far as known; -1: none
    std::int64_t start_to_commit = -1;  ///< a start that is not found again by itself; -1: none
    std::int64_t handed_over_end = -1;  ///< behind the last record handed over; -1: none was
    LogGate errors;

    /// The offset to commit now, or -1 where there is nothing new to commit.
    std::int64_t offset_to_commit() const;

    /// Everything that was handed over is settled.
    bool is_settled() const { return assignment->settled_offset() >= handed_over_end; }
};

class PartitionSet {
  public:
    /// Takes the partition on and routes its records to a queue of its own, which signals
    /// `wakeup`. Has to come before the partition is assigned to `client`.
    AssignedPartition& add(rd_kafka_t& client, core::AssignmentPtr assignment, Wakeup& wakeup);

    AssignedPartition* find(std::string_view topic, std::int32_t partition);

    /// Takes the listed partitions out; what is not in the set is passed over.
    std::vector<AssignedPartition> remove(const rd_kafka_topic_partition_list_t& listed);
    std::vector<AssignedPartition> remove_all();

    std::vector<AssignedPartition>& all() { return partitions_; }
    bool empty() const { return partitions_.empty(); }

  private:
    std::vector<AssignedPartition> partitions_;
};

/// A fresh id, never used before in this process.
core::AssignmentId next_assignment_id();

} // namespace docmap::kafka
