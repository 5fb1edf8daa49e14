#include "kafka/record_reader.hpp"

#include "kafka/record_maker.hpp"

#include <algorithm>
#include <utility>

namespace docmap::kafka {

RecordReader::Turn RecordReader::read(std::vector<AssignedPartition>& partitions) {
    Turn turn;
    std::size_t idle = 0;
    while (idle < partitions.size() && !allowance_.exhausted()) {
        if (turn.records.size() >= turn_records) {
            turn.more = true;
            break;
        }
        // A rebalance may have made the set smaller since the last turn.
        next_partition_ = (next_partition_ + 1) % partitions.size();
        idle = read_batch(partitions[next_partition_], turn.records) ? 0 : idle + 1;
    }
    return turn;
}

/// Returns whether the partition's queue had anything.
bool RecordReader::read_batch(AssignedPartition& partition, std::vector<core::RecordPtr>& records) {
    if (!partition.queue || !partition.filled->take()) return false;
    const std::size_t wanted = std::min(batch_.size(), allowance_.records(expected_record_bytes_));
    const auto got = rd_kafka_consume_batch_queue(partition.queue.get(), 0, batch_.data(), wanted);
    if (got <= 0) return false;
    const std::size_t count = static_cast<std::size_t>(got);
    if (count == wanted) partition.filled->set();
    if (records.capacity() == 0) records.reserve(turn_records + batch_records);
    std::size_t largest = 0;
    for (std::size_t index = 0; index < count; ++index) {
        const MessagePtr message(batch_[index]);
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_error_(partition, *message);
            continue;
        }
        records.push_back(take(partition, *message));
        largest = std::max(largest, records.back()->budget_bytes());
    }
    expected_record_bytes_ = std::max(largest, expected_record_bytes_ - expected_record_bytes_ / 8);
    return true;
}

void RecordReader::look_everywhere(std::vector<AssignedPartition>& partitions) {
    for (AssignedPartition& partition : partitions)
        if (partition.filled) partition.filled->set();
}

core::RecordPtr RecordReader::take(AssignedPartition& partition, const rd_kafka_message_t& message) {
    core::RecordPtr record = make_record(message, *partition.assignment, partition.next_sequence++);
    partition.handed_over_end = record->offset() + 1;
    allowance_.take(1, record->budget_bytes());
    return record;
}

} // namespace docmap::kafka
