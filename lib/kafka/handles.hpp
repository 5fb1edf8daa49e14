// Owners of librdkafka's C objects: each is destroyed with the pointer that holds it.
// librdkafka's calls are thread-safe, but by the daemon's rule only the Kafka thread makes them.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>

namespace docmap::kafka {

template<auto destroy>
struct Destroy {
    template<typename Object>
    void operator()(Object* object) const {
        destroy(object);
    }
};

using ConfigurationPtr = std::unique_ptr<rd_kafka_conf_t, Destroy<rd_kafka_conf_destroy>>;
using PartitionListPtr =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy<rd_kafka_topic_partition_list_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using MessagePtr = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;

/// rd_kafka_destroy() would leave the group first and may wait for a broker that is away. A group member
/// closes in bounded time by itself; the other clients are in no group.
inline void destroy_client(rd_kafka_t* client) {
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}
using ClientPtr = std::unique_ptr<rd_kafka_t, Destroy<destroy_client>>;

/// Ends the queue's notifications too: the queue itself may outlive this reference inside librdkafka.
inline void release_queue(rd_kafka_queue_t* queue) {
    rd_kafka_queue_cb_event_enable(queue, nullptr, nullptr);
    rd_kafka_queue_destroy(queue);
}
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Destroy<release_queue>>;

inline PartitionListPtr make_partition_list(int capacity) {
    return PartitionListPtr(rd_kafka_topic_partition_list_new(capacity));
}

/// What the error code means, as librdkafka puts it: `Broker: Unknown topic or partition`.
inline std::string describe(rd_kafka_resp_err_t error) {
    return rd_kafka_err2str(error);
}

/// A duration as librdkafka takes it.
inline int to_milliseconds(std::chrono::milliseconds duration) {
    return static_cast<int>(duration.count());
}

} // namespace docmap::kafka
