#include "kafka/partition_set.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <utility>

namespace docmap::kafka {

std::int64_t AssignedPartition::offset_to_commit() const {
    const std::int64_t wanted = std::max(assignment->settled_offset(), start_to_commit);
    return wanted > committed_offset ? wanted : -1;
}

AssignedPartition& PartitionSet::add(rd_kafka_t& client, core::AssignmentPtr assignment, Wakeup& wakeup) {
    AssignedPartition added;
    added.queue.reset(
        rd_kafka_queue_get_partition(&client, assignment->topic().c_str(), assignment->partition()));
    if (added.queue) {
        rd_kafka_queue_forward(added.queue.get(), nullptr);
        added.filled = std::make_unique<QueueSignal>(wakeup);
        added.filled->attach(*added.queue);
    }
    added.assignment = std::move(assignment);
    return partitions_.emplace_back(std::move(added));
}

AssignedPartition* PartitionSet::find(std::string_view topic, std::int32_t partition) {
    const auto found =
        std::find_if(partitions_.begin(), partitions_.end(), [&](const AssignedPartition& candidate) {
            return candidate.assignment->partition() == partition && candidate.assignment->topic() == topic;
        });
    return found == partitions_.end() ? nullptr : &*found;
}

std::vector<AssignedPartition> PartitionSet::remove(const rd_kafka_topic_partition_list_t& listed) {
    std::vector<AssignedPartition> removed;
    for (int index = 0; index < listed.cnt; ++index) {
        AssignedPartition* const found = find(listed.elems[index].topic, listed.elems[index].partition);
        if (found == nullptr) continue;
        removed.push_back(std::move(*found));
        partitions_.erase(partitions_.begin() + (found - partitions_.data()));
    }
    return removed;
}

std::vector<AssignedPartition> PartitionSet::remove_all() {
    return std::exchange(partitions_, {});
}

core::AssignmentId next_assignment_id() {
    static std::atomic<std::uint64_t> last{0};
    return core::AssignmentId{++last};
}

} // namespace docmap::kafka
