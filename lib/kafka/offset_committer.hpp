// Commits settled offsets. A failed commit loses nothing: the offset is committed with the next one.
// Lives on the Kafka thread; owned by the group member.
#pragma once

#include "base/metrics.hpp"
#include "base/time.hpp"
#include "kafka/handles.hpp"
#include "kafka/log_gate.hpp"
#include "kafka/partition_set.hpp"

#include <chrono>
#include <vector>

namespace docmap::kafka {

class OffsetCommitter {
  public:
    explicit OffsetCommitter(base::Metrics& metrics) : metrics_(metrics) {}

    /// Commits what has moved since the last commit; the answer comes through on_result(). Does nothing while
    /// an answer is outstanding.
    void commit(rd_kafka_t& client, const std::vector<AssignedPartition>& partitions);

    /// Commits what has moved in `partitions`, which are about to be given up, and waits for the answer, at
    /// most for `timeout`.
    void commit_and_wait(rd_kafka_t& client, const std::vector<AssignedPartition>& partitions,
                         std::chrono::milliseconds timeout);

    /// The answer to commit(), from librdkafka's commit callback.
    void on_result(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* offsets,
                   PartitionSet& partitions);

  private:
    /// librdkafka answers every commit, if need be with a timeout. Should it not, commits must go on.
    static constexpr std::chrono::seconds answer_patience{120};

    void report(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t& offsets);

    base::Metrics& metrics_;
    bool outstanding_ = false;
    base::SteadyTime sent_at_{};
    LogGate failures_;
};

} // namespace docmap::kafka
