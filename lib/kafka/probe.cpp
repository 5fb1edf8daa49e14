#include "kafka/probe.hpp"

#include "kafka/client_log.hpp"
#include "kafka/health.hpp"
#include "kafka/properties.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace docmap::kafka {

namespace {

using MetadataPtr = std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>>;

std::string topic_problem(rd_kafka_resp_err_t error) {
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return "does not exist; create it, or correct kafka.topics";
    return describe(error);
}

} // namespace

std::size_t ClusterState::partitions() const {
    return std::accumulate(topics.begin(), topics.end(), std::size_t{0},
                           [](std::size_t sum, const TopicState& topic) { return sum + topic.partitions; });
}

TopicState describe_topic(rd_kafka_t& client, const std::string& topic, std::chrono::milliseconds timeout,
                          rd_kafka_resp_err_t& error) {
    TopicState state{topic, 0, {}};
    const TopicPtr handle(rd_kafka_topic_new(&client, topic.c_str(), nullptr));
    if (!handle) {
        error = RD_KAFKA_RESP_ERR_NO_ERROR;
        state.problem = describe(rd_kafka_last_error());
        return state;
    }
    const rd_kafka_metadata_t* found = nullptr;
    error = rd_kafka_metadata(&client, 0, handle.get(), &found, to_milliseconds(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return state;
    const MetadataPtr metadata(found);
    if (metadata->topic_cnt != 1)
        state.problem = topic_problem(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    else if (metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
        state.problem = topic_problem(metadata->topics[0].err);
    else
        state.partitions = static_cast<std::size_t>(metadata->topics[0].partition_cnt);
    return state;
}

base::Result<std::unique_ptr<Probe>> Probe::open(const config::Kafka& config) {
    base::Result<ConfigurationPtr> configuration = make_configuration(config, queue_limits(1));
    if (!configuration) return configuration.error();
    std::unique_ptr<Probe> probe(new Probe(config));
    rd_kafka_conf_set_opaque(configuration->get(), probe.get());
    rd_kafka_conf_set_error_cb(configuration->get(), on_error);
    rd_kafka_conf_set_log_cb(configuration->get(), write_client_log);
    std::array<char, 512> why{};
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration->get(), why.data(), why.size());
    if (client == nullptr)
        return base::Error{"kafka: librdkafka refuses its settings: " + std::string(why.data())};
    static_cast<void>(configuration->release()); // the client owns it now
    probe->client_.reset(client);
    return probe;
}

void Probe::on_error(rd_kafka_t*, int error, const char* reason, void* opaque) {
    // This one only counts the brokers; the reports before it say why.
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
    static_cast<Probe*>(opaque)->last_failure_ = shorten_reason(reason);
}

std::string Probe::why_unreachable(rd_kafka_resp_err_t error) {
    rd_kafka_poll(client_.get(), 0);
    return "no broker of \"" + config_.brokers +
           "\" answers: " + (last_failure_.empty() ? describe(error) : last_failure_);
}

ClusterState Probe::look(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    ClusterState cluster;
    for (const std::string& topic : config_.topics) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
        cluster.topics.push_back(
            describe_topic(*client_, topic, std::max(left, std::chrono::milliseconds{1}), error));
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        cluster.topics.clear();
        cluster.problem = why_unreachable(error);
        return cluster;
    }
    rd_kafka_poll(client_.get(), 0);
    last_failure_.clear();
    return cluster;
}

} // namespace docmap::kafka
