#include "kafka/start_offsets.hpp"

#include <algorithm>
#include <string>

namespace docmap::kafka {

namespace {

std::string name_of(const rd_kafka_topic_partition_t& partition) {
    return std::string(partition.topic) + "[" + std::to_string(partition.partition) + "]";
}

} // namespace

base::Result<std::vector<StartOffset>> find_start_offsets(rd_kafka_t& client,
                                                          rd_kafka_topic_partition_list_t& partitions,
                                                          bool from_latest,
                                                          std::chrono::milliseconds timeout) {
    std::vector<StartOffset> starts;
    if (partitions.cnt == 0) return starts;
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    rd_kafka_resp_err_t error = rd_kafka_committed(&client, &partitions, to_milliseconds(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return base::Error{"the committed offsets cannot be read: " + describe(error)};

    for (int index = 0; index < partitions.cnt; ++index) {
        rd_kafka_topic_partition_t& partition = partitions.elems[index];
        if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return base::Error{"the committed offset of " + name_of(partition) +
                               " cannot be read: " + describe(partition.err)};
        StartOffset start;
        if (partition.offset >= 0) {
            start.committed = start.first_offset = partition.offset;
        } else if (!from_latest) {
            partition.offset = RD_KAFKA_OFFSET_BEGINNING;
        } else {
            // As a number, and committed soon: after a crash "latest" would be another place.
            std::int64_t low = 0;
            std::int64_t high = 0;
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            error = rd_kafka_query_watermark_offsets(
                &client, partition.topic, partition.partition, &low, &high,
                to_milliseconds(std::max(left, std::chrono::milliseconds{1})));
            if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
                return base::Error{"the end of " + name_of(partition) +
                                   " cannot be read: " + describe(error)};
            partition.offset = start.first_offset = start.start_to_commit = high;
        }
        starts.push_back(start);
    }
    return starts;
}

} // namespace docmap::kafka
