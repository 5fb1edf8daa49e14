// A look at the cluster from outside any consumer group: does a broker answer, which topics exist, how many
// partitions have they. Belongs to the thread that made it; librdkafka's threads live until it is destroyed.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "kafka/handles.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace docmap::kafka {

struct TopicState {
    std::string name;
    std::size_t partitions = 0;
    std::string problem; ///< why the topic cannot be read; empty when it can
};

struct ClusterState {
    std::string problem; ///< why no broker answers; empty when one does
    std::vector<TopicState> topics;

    /// Over all topics.
    std::size_t partitions() const;
};

class Probe {
  public:
    /// Fails where librdkafka refuses the configuration: an unknown property, a file that cannot be read.
    static base::Result<std::unique_ptr<Probe>> open(const config::Kafka& config);

    /// Waits for answers, at most `timeout` in all.
    ClusterState look(std::chrono::milliseconds timeout);

    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

  private:
    explicit Probe(const config::Kafka& config) : config_(config) {}

    static void on_error(rd_kafka_t* client, int error, const char* reason, void* opaque);
    std::string why_unreachable(rd_kafka_resp_err_t error);

    const config::Kafka& config_;
    std::string last_failure_;
    ClientPtr client_;
};

/// What the metadata says of the topic: its partitions, or its problem. A failure to get metadata at all is
/// returned in `error`.
TopicState describe_topic(rd_kafka_t& client, const std::string& topic, std::chrono::milliseconds timeout,
                          rd_kafka_resp_err_t& error);

} // namespace docmap::kafka
