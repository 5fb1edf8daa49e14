#include "kafka/record_producer.hpp"

#include "kafka/client_log.hpp"
#include "kafka/health.hpp"
#include "kafka/properties.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace docmap::kafka {

namespace {

/// The brokers' own limits decide; librdkafka's would be below kafka.max_event_bytes.
constexpr const char* max_message_bytes = "1000000000";

/// [kafka.properties] are a consumer's: that a producer has no use for some of them is not worth a warning.
void write_producer_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    if (std::string_view(facility) != "CONFWARN") write_client_log(client, level, facility, text);
}

} // namespace

base::Result<std::unique_ptr<RecordProducer>> RecordProducer::open(const config::Kafka& config,
                                                                   std::chrono::milliseconds timeout) {
    base::Result<ConfigurationPtr> configuration = make_configuration(config, queue_limits(1));
    if (!configuration) return configuration.error();
    std::unique_ptr<RecordProducer> producer(new RecordProducer(config));
    producer->timeout_ = timeout;
    const std::string timeout_text = std::to_string(timeout.count());
    const std::array<std::pair<const char*, const char*>, 5> properties = {{
        {"acks", "all"},
        {"linger.ms", "0"},
        {"message.max.bytes", max_message_bytes},
        {"message.timeout.ms", timeout_text.c_str()},
        {"request.timeout.ms", timeout_text.c_str()},
    }};
    std::array<char, 512> why{};
    for (const auto& [name, value] : properties)
        if (rd_kafka_conf_set(configuration->get(), name, value, why.data(), why.size()) != RD_KAFKA_CONF_OK)
            return base::Error{"kafka: " + std::string(name) + ": " + why.data()};
    rd_kafka_conf_set_opaque(configuration->get(), producer.get());
    rd_kafka_conf_set_error_cb(configuration->get(), on_error);
    rd_kafka_conf_set_dr_msg_cb(configuration->get(), on_delivery);
    rd_kafka_conf_set_log_cb(configuration->get(), write_producer_log);
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration->get(), why.data(), why.size());
    if (client == nullptr)
        return base::Error{"kafka: librdkafka refuses its settings: " + std::string(why.data())};
    static_cast<void>(configuration->release()); // the client owns it now
    producer->client_.reset(client);
    return producer;
}

void RecordProducer::on_error(rd_kafka_t*, int error, const char* reason, void* opaque) {
    // This one only counts the brokers; the reports before it say why.
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
    static_cast<RecordProducer*>(opaque)->last_failure_ = shorten_reason(reason);
}

void RecordProducer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& producer = *static_cast<RecordProducer*>(opaque);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer.report_ = message->offset;
        return;
    }
    std::string reason = describe(message->err);
    if (!producer.last_failure_.empty()) reason += " (" + producer.last_failure_ + ")";
    producer.report_ = base::Error{std::move(reason)};
}

base::Result<std::int64_t> RecordProducer::write(const RecordToWrite& record) {
    report_.reset();
    const auto bytes = [](const std::optional<std::string_view>& text) {
        return text ? const_cast<char*>(text->data()) : nullptr;
    };
    const auto size = [](const std::optional<std::string_view>& text) { return text ? text->size() : 0; };
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(record.topic.c_str()), RD_KAFKA_V_PARTITION(record.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(bytes(record.value), size(record.value)),
        RD_KAFKA_V_KEY(bytes(record.key), size(record.key)), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return base::Error{describe(error)};
    // librdkafka reports every record it has taken, at the latest after message.timeout.ms.
    while (!report_)
        rd_kafka_poll(client_.get(), 100);
    return *report_;
}

} // namespace docmap::kafka
