// Where the reading of freshly assigned partitions begins: at the committed offset; at the configured end of
// the log where nothing was ever committed. Never guessed. Blocks for a bounded time; Kafka thread.
#pragma once

#include "base/error.hpp"
#include "kafka/handles.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace docmap::kafka {

struct StartOffset {
    std::int64_t committed = -1;       ///< -1: nothing was ever committed
    std::int64_t first_offset = 0;     ///< no record below it will be read
    std::int64_t start_to_commit = -1; ///< as in AssignedPartition
};

/// Sets the offset of every listed partition, as rd_kafka_assign() takes it, and returns the same in our
/// terms, in the order of the list. On an error the list is of no use until a later call succeeds.
base::Result<std::vector<StartOffset>> find_start_offsets(rd_kafka_t& client,
                                                          rd_kafka_topic_partition_list_t& partitions,
                                                          bool from_latest,
                                                          std::chrono::milliseconds timeout);

} // namespace docmap::kafka
