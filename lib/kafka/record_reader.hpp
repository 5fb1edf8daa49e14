// Reads records out of the assigned partitions' queues: round robin, in batches, no more than the allowance
// grants. What is not read stays with librdkafka, which then stops fetching. Lives on the Kafka thread; owned
// by the group member.
#pragma once

#include "core/record.hpp"
#include "kafka/allowance.hpp"
#include "kafka/partition_set.hpp"

#include <librdkafka/rdkafka.h>

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

namespace docmap::kafka {

class RecordReader {
  public:
    /// Called for a message that stands for an error of its partition; the message lives during the call.
    using OnError = std::function<void(AssignedPartition& partition, const rd_kafka_message_t& message)>;

    RecordReader(Allowance& allowance, OnError on_error)
        : allowance_(allowance), on_error_(std::move(on_error)) {}

    struct Turn {
        std::vector<core::RecordPtr> records;
        bool more = false; ///< the turn ended at its limit: there may be more to read at once
    };

    /// Reads until the queues are empty, the allowance is used up, or the turn's limit is reached. May exceed
    /// the bytes of the allowance by one batch, where its records are larger than those before; the next
    /// turns make up for it.
    Turn read(std::vector<AssignedPartition>& partitions);

    /// Lets the next turn ask every queue, whether it has signalled or not: whatever a version of librdkafka
    /// may leave untold is found by then.
    static void look_everywhere(std::vector<AssignedPartition>& partitions);

    /// Makes a record of a message that came by another way than its partition's queue.
    core::RecordPtr take(AssignedPartition& partition, const rd_kafka_message_t& message);

  private:
    static constexpr std::size_t batch_records = 32;
    static constexpr std::size_t turn_records = 1024;

    bool read_batch(AssignedPartition& partition, std::vector<core::RecordPtr>& records);

    Allowance& allowance_;
    OnError on_error_;
    std::array<rd_kafka_message_t*, batch_records> batch_{};
    std::size_t next_partition_ = 0;
    std::size_t expected_record_bytes_ = 64 * 1024; ///< the largest record of late
};

} // namespace docmap::kafka
