#include "kafka/properties.hpp"

#include "config/kafka_properties.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace docmap::kafka {

namespace {

constexpr std::size_t total_queue_kilobytes = 64 * 1024;
constexpr std::size_t total_queue_messages = 100000;
constexpr std::size_t min_queue_kilobytes = 64;
constexpr std::size_t min_queue_messages = 1000;
constexpr std::size_t max_fetch_message_bytes = 1024 * 1024;
constexpr int first_version_with_sound_cooperative_assignor = 0x02090000;

base::Error property_error(const std::string& name, std::string_view reason) {
    return {"kafka.properties." + name + ": " + std::string(reason)};
}

bool is_known(const char* name) {
    const ConfigurationPtr configuration(rd_kafka_conf_new());
    std::size_t size = 0;
    return rd_kafka_conf_get(configuration.get(), name, nullptr, &size) == RD_KAFKA_CONF_OK;
}

/// The value of such a property is not repeated in an error.
bool may_be_secret(std::string_view name) {
    constexpr std::array<std::string_view, 6> words = {"password", "secret", "key", "token", "sasl", "pem"};
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return name.find(word) != std::string_view::npos; });
}

/// Sets one property of the user's. Nothing when it was accepted.
std::vector<base::Error> apply(rd_kafka_conf_t& configuration, const std::string& name,
                               const std::string& value) {
    if (const std::optional<std::string> refused = config::check_kafka_property(name))
        return {property_error(name, *refused)};
    std::array<char, 512> why{};
    switch (rd_kafka_conf_set(&configuration, name.c_str(), value.c_str(), why.data(), why.size())) {
    case RD_KAFKA_CONF_OK:
        return {};
    case RD_KAFKA_CONF_UNKNOWN:
        return {property_error(name, "no such property; librdkafka " + std::string(rd_kafka_version_str()) +
                                         " lists its properties in CONFIGURATION.md")};
    default:
        return {property_error(name, std::string(why.data()) +
                                         (may_be_secret(name) ? "" : "; it is \"" + value + "\""))};
    }
}

std::vector<std::pair<std::string, std::string>> own_properties(const config::Kafka& config,
                                                                const QueueLimits& limits) {
    std::vector<std::pair<std::string, std::string>> properties = {
        {"bootstrap.servers", config.brokers},
        {"group.id", config.group_id},
        {"client.id", "docmap-webhookd"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"partition.assignment.strategy", "range"},
        {"queued.max.messages.kbytes", std::to_string(limits.kilobytes)},
        {"queued.min.messages", std::to_string(limits.messages)},
        {"fetch.message.max.bytes", std::to_string(limits.fetch_message_bytes)},
        {"fetch.wait.max.ms", "500"},
        {"fetch.min.bytes", "1"},
        {"fetch.error.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "2000"},            // a broker that is back is found within seconds
        {"topic.metadata.refresh.interval.ms", "10000"}, // new partitions and topics are found as soon
        {"statistics.interval.ms", "1000"},
    };
    // Known to newer versions only: without it a full queue pauses its fetching for a second.
    if (is_known("fetch.queue.backoff.ms")) properties.emplace_back("fetch.queue.backoff.ms", "20");
    if (is_known("client.software.name")) properties.emplace_back("client.software.name", "docmap-webhookd");
    return properties;
}

} // namespace

QueueLimits queue_limits(std::size_t partitions) {
    const std::size_t count = std::max<std::size_t>(partitions, 1);
    const std::size_t kilobytes = std::max(total_queue_kilobytes / count, min_queue_kilobytes);
    return {kilobytes, std::max(total_queue_messages / count, min_queue_messages),
            std::min(kilobytes * 1024, max_fetch_message_bytes)};
}

std::vector<base::Error> validate_properties(const config::Kafka& config) {
    const ConfigurationPtr configuration(rd_kafka_conf_new());
    std::vector<base::Error> errors;
    for (const auto& [name, value] : config.properties) {
        const std::vector<base::Error> found = apply(*configuration, name, value);
        errors.insert(errors.end(), found.begin(), found.end());
    }
    return errors;
}

base::Result<ConfigurationPtr> make_configuration(const config::Kafka& config, const QueueLimits& limits) {
    ConfigurationPtr configuration(rd_kafka_conf_new());
    std::array<char, 512> why{};
    for (const auto& [name, value] : own_properties(config, limits)) {
        if (rd_kafka_conf_set(configuration.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
            RD_KAFKA_CONF_OK)
            return base::Error{"kafka: " + name + ": " + why.data()};
    }
    for (const auto& [name, value] : config.properties) {
        const std::vector<base::Error> errors = apply(*configuration, name, value);
        if (!errors.empty()) return errors.front();
    }
    return configuration;
}

std::string assignor_warning(const config::Kafka& config, int library_version) {
    if (library_version >= first_version_with_sound_cooperative_assignor) return {};
    const bool cooperative =
        std::any_of(config.properties.begin(), config.properties.end(), [](const auto& property) {
            return property.first == "partition.assignment.strategy" &&
                   property.second.find("cooperative") != std::string::npos;
        });
    if (!cooperative) return {};
    return "kafka.properties.partition.assignment.strategy: cooperative-sticky can lose assignments and loop "
           "in librdkafka before 2.9; this is " +
           std::string(rd_kafka_version_str()) + "; range is the safe choice";
}

} // namespace docmap::kafka
