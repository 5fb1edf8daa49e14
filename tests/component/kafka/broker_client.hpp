// What a test does with a broker from outside: topics, records, committed offsets. For one thread at a time.
#pragma once

#include "kafka/handles.hpp"

#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace docmap::kafka::test {

struct Message {
    std::optional<std::string> value;
    std::int32_t partition = 0;
    std::optional<std::string> key{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::int64_t timestamp_milliseconds = 0; ///< 0: now
};

class BrokerClient {
  public:
    explicit BrokerClient(const std::string& brokers);
    ~BrokerClient();

    BrokerClient(const BrokerClient&) = delete;
    BrokerClient& operator=(const BrokerClient&) = delete;

    /// Makes a topic with a name that was never used, and at least that many partitions.
    std::string create_topic(std::int32_t partitions);
    void create_topic(const std::string& name, std::int32_t partitions);
    /// With settings of the topic. Apache Kafka only.
    std::string create_topic(std::int32_t partitions,
                             const std::vector<std::pair<std::string, std::string>>& settings);

    /// Removes a partition's records below an offset. Apache Kafka only.
    void delete_records(const std::string& topic, std::int32_t partition, std::int64_t before);

    /// Writes the messages and waits until the broker has them.
    void produce(const std::string& topic, const std::vector<Message>& messages);

    /// Writes the messages' values in one transaction, committed when this returns.
    void produce_in_transaction(const std::string& topic, const std::vector<Message>& messages);

    /// `count` records `<first>`, `<first + 1>`, … in one partition.
    void produce_numbers(const std::string& topic, int count, int first = 0, std::int32_t partition = 0);

    /// The group's committed offset, or -1.
    std::int64_t committed(const std::string& group, const std::string& topic, std::int32_t partition = 0);

    /// Commits for a group without members.
    void commit(const std::string& group, const std::string& topic, std::int32_t partition,
                std::int64_t offset);

  private:
    void request_topic(const std::string& name, std::int32_t partitions,
                       const std::vector<std::pair<std::string, std::string>>& settings);
    ClientPtr consumer_of(const std::string& group) const;

    std::string brokers_;
    ClientPtr producer_;
};

/// Whether the broker of this run is librdkafka's mock cluster and not Apache Kafka.
bool is_mock();

/// A name that no other test or run uses.
std::string unique_name(const std::string& prefix);

/// librdkafka's mock cluster in this process, for faults that a real broker does not give on request.
class MockCluster {
  public:
    explicit MockCluster(int brokers = 1);
    ~MockCluster();

    MockCluster(const MockCluster&) = delete;
    MockCluster& operator=(const MockCluster&) = delete;

    std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
    void create_topic(const std::string& name, int partitions);

    /// The next requests of that kind fail so, one after another.
    void fail_next(std::int16_t request, const std::vector<rd_kafka_resp_err_t>& errors);
    void stop_failing(std::int16_t request) { rd_kafka_mock_clear_request_errors(cluster_, request); }
    void go_down() { rd_kafka_mock_broker_set_down(cluster_, -1); }
    void come_up() { rd_kafka_mock_broker_set_up(cluster_, -1); }

    rd_kafka_mock_cluster_t* handle() { return cluster_; }

  private:
    ClientPtr owner_;
    rd_kafka_mock_cluster_t* cluster_;
};

/// Kinds of requests in Kafka's protocol.
inline constexpr std::int16_t fetch_request = 1;
inline constexpr std::int16_t offset_commit_request = 8;
inline constexpr std::int16_t offset_fetch_request = 9;
inline constexpr std::int16_t find_coordinator_request = 10;
inline constexpr std::int16_t join_group_request = 11;
inline constexpr std::int16_t heartbeat_request = 12;

} // namespace docmap::kafka::test
