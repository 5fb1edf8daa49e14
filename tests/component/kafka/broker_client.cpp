#include "broker_client.hpp"

#include <array>
#include <atomic>
#include <stdexcept>
#include <unistd.h>

namespace docmap::kafka::test {

namespace {

constexpr int timeout_ms = 20000;

ClientPtr make_client(rd_kafka_type_t type,
                      const std::vector<std::pair<std::string, std::string>>& properties) {
    rd_kafka_conf_t* configuration = rd_kafka_conf_new();
    std::array<char, 512> why{};
    for (const auto& [name, value] : properties)
        if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), why.data(), why.size()) !=
            RD_KAFKA_CONF_OK)
            throw std::runtime_error(why.data());
    ClientPtr client(rd_kafka_new(type, configuration, why.data(), why.size()));
    if (!client) throw std::runtime_error(why.data());
    return client;
}

void check(rd_kafka_resp_err_t error, const std::string& what) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(what + ": " + describe(error));
}

} // namespace

bool is_mock() {
    const char* kind = std::getenv("DOCMAP_TEST_BROKER");
    return kind == nullptr || std::string(kind) != "kafka";
}

std::string unique_name(const std::string& prefix) {
    static std::atomic<int> count{0};
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    return prefix + "-" + std::to_string(getpid()) + "-" + std::to_string(now) + "-" +
           std::to_string(++count);
}

BrokerClient::BrokerClient(const std::string& brokers)
    : brokers_(brokers), producer_(make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                                   {"linger.ms", "0"},
                                                                   {"log_level", "0"},
                                                                   {"message.max.bytes", "4000000"}})) {}

BrokerClient::~BrokerClient() = default;

std::string BrokerClient::create_topic(std::int32_t partitions) {
    const std::string name = unique_name("topic");
    create_topic(name, partitions);
    return name;
}

void BrokerClient::create_topic(const std::string& name, std::int32_t partitions) {
    if (is_mock()) {
        // The mock knows no request to create topics: it makes one, with 4 partitions, for a producer's
        // question.
        const TopicPtr topic(rd_kafka_topic_new(producer_.get(), name.c_str(), nullptr));
        const rd_kafka_metadata_t* metadata = nullptr;
        check(rd_kafka_metadata(producer_.get(), 0, topic.get(), &metadata, timeout_ms),
              "metadata of " + name);
        rd_kafka_metadata_destroy(metadata);
        return;
    }
    request_topic(name, partitions, {});
}

std::string BrokerClient::create_topic(std::int32_t partitions,
                                       const std::vector<std::pair<std::string, std::string>>& settings) {
    const std::string name = unique_name("topic");
    request_topic(name, partitions, settings);
    return name;
}

void BrokerClient::request_topic(const std::string& name, std::int32_t partitions,
                                 const std::vector<std::pair<std::string, std::string>>& settings) {
    std::array<char, 512> why{};
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, why.data(), why.size());
    for (const auto& [setting, value] : settings)
        check(rd_kafka_NewTopic_set_config(topic, setting.c_str(), value.c_str()), setting);
    const QueuePtr answers(rd_kafka_queue_new(producer_.get()));
    rd_kafka_CreateTopics(producer_.get(), &topic, 1, nullptr, answers.get());
    rd_kafka_event_t* answer = rd_kafka_queue_poll(answers.get(), timeout_ms);
    std::size_t count = 0;
    const auto* result = rd_kafka_event_CreateTopics_result(answer);
    const auto* topics = rd_kafka_CreateTopics_result_topics(result, &count);
    const rd_kafka_resp_err_t error =
        count == 1 ? rd_kafka_topic_result_error(topics[0]) : rd_kafka_event_error(answer);
    rd_kafka_event_destroy(answer);
    rd_kafka_NewTopic_destroy(topic);
    check(error, "creating topic " + name);
}

void BrokerClient::delete_records(const std::string& topic, std::int32_t partition, std::int64_t before) {
    const PartitionListPtr list = make_partition_list(1);
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = before;
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list.get());
    const QueuePtr answers(rd_kafka_queue_new(producer_.get()));
    rd_kafka_DeleteRecords(producer_.get(), &request, 1, nullptr, answers.get());
    rd_kafka_event_t* answer = rd_kafka_queue_poll(answers.get(), timeout_ms);
    const rd_kafka_resp_err_t error = rd_kafka_event_error(answer);
    rd_kafka_event_destroy(answer);
    rd_kafka_DeleteRecords_destroy(request);
    check(error, "deleting records of " + topic);
}

void BrokerClient::produce(const std::string& topic, const std::vector<Message>& messages) {
    for (const Message& message : messages) {
        rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
        for (const auto& [name, value] : message.headers)
            rd_kafka_header_add(headers, name.c_str(), -1, value.data(), static_cast<ssize_t>(value.size()));
        void* const value = message.value ? const_cast<char*>(message.value->data()) : nullptr;
        const std::size_t value_size = message.value ? message.value->size() : 0;
        const void* const key = message.key ? message.key->data() : nullptr;
        const std::size_t key_size = message.key ? message.key->size() : 0;
        const auto send = [&] {
            return rd_kafka_producev(
                producer_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(message.partition),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(value, value_size),
                RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_TIMESTAMP(message.timestamp_milliseconds),
                RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        };
        rd_kafka_resp_err_t error = send();
        while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(producer_.get(), 100);
            error = send();
        }
        check(error, "producing to " + topic);
    }
    check(rd_kafka_flush(producer_.get(), timeout_ms), "producing to " + topic);
}

void BrokerClient::produce_in_transaction(const std::string& topic, const std::vector<Message>& messages) {
    const ClientPtr producer =
        make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers_},
                                        {"transactional.id", unique_name("transaction")},
                                        {"log_level", "0"}});
    const auto succeed = [](rd_kafka_error_t* failure) {
        const ErrorPtr error(failure);
        if (error) throw std::runtime_error(rd_kafka_error_string(error.get()));
    };
    succeed(rd_kafka_init_transactions(producer.get(), timeout_ms));
    succeed(rd_kafka_begin_transaction(producer.get()));
    for (const Message& message : messages)
        check(rd_kafka_producev(
                  producer.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(message.partition),
                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                  RD_KAFKA_V_VALUE(const_cast<char*>(message.value->data()), message.value->size()),
                  RD_KAFKA_V_END),
              "producing to " + topic);
    succeed(rd_kafka_commit_transaction(producer.get(), timeout_ms));
}

void BrokerClient::produce_numbers(const std::string& topic, int count, int first, std::int32_t partition) {
    std::vector<Message> messages;
    for (int number = first; number < first + count; ++number)
        messages.push_back({std::to_string(number), partition});
    produce(topic, messages);
}

ClientPtr BrokerClient::consumer_of(const std::string& group) const {
    return make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers_},
                                           {"group.id", group},
                                           {"enable.auto.commit", "false"},
                                           {"log_level", "0"}});
}

std::int64_t BrokerClient::committed(const std::string& group, const std::string& topic,
                                     std::int32_t partition) {
    const ClientPtr client = consumer_of(group);
    const PartitionListPtr list = make_partition_list(1);
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
    check(rd_kafka_committed(client.get(), list.get(), timeout_ms), "committed offset of " + topic);
    check(list->elems[0].err, "committed offset of " + topic);
    return list->elems[0].offset < 0 ? -1 : list->elems[0].offset;
}

void BrokerClient::commit(const std::string& group, const std::string& topic, std::int32_t partition,
                          std::int64_t offset) {
    const ClientPtr client = consumer_of(group);
    const PartitionListPtr list = make_partition_list(1);
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
    check(rd_kafka_commit(client.get(), list.get(), 0), "commit for " + group);
}

MockCluster::MockCluster(int brokers)
    : owner_(make_client(RD_KAFKA_PRODUCER, {{"log_level", "0"}})),
      cluster_(rd_kafka_mock_cluster_new(owner_.get(), brokers)) {
    if (cluster_ == nullptr) throw std::runtime_error("the mock cluster did not start");
}

MockCluster::~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
}

void MockCluster::create_topic(const std::string& name, int partitions) {
    check(rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1), "creating topic " + name);
}

void MockCluster::fail_next(std::int16_t request, const std::vector<rd_kafka_resp_err_t>& errors) {
    rd_kafka_mock_push_request_errors_array(cluster_, request, errors.size(), errors.data());
}

} // namespace docmap::kafka::test
