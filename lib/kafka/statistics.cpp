#include "kafka/statistics.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace docmap::kafka {

namespace {

namespace json = boost::json;

const json::object& object_at(const json::object& parent, std::string_view name) {
    static const json::object none;
    const json::value* found = parent.if_contains(name);
    return found != nullptr && found->is_object() ? found->get_object() : none;
}

std::int64_t number_at(const json::object& parent, std::string_view name) {
    const json::value* found = parent.if_contains(name);
    return found != nullptr && found->is_int64() ? found->get_int64() : -1;
}

bool text_is(const json::object& parent, std::string_view name, std::string_view text) {
    const json::value* found = parent.if_contains(name);
    return found != nullptr && found->is_string() && found->get_string() == text;
}

void add_partitions(const json::object& topic, std::vector<PartitionProgress>& partitions) {
    for (const json::key_value_pair& entry : object_at(topic, "partitions")) {
        if (!entry.value().is_object()) continue;
        const json::object& fields = entry.value().get_object();
        if (!text_is(fields, "fetch_state", "active")) continue;
        // Up to the last stable offset: what lies above belongs to transactions that are still open.
        partitions.push_back({"", static_cast<std::int32_t>(number_at(fields, "partition")),
                              number_at(fields, "next_offset"), number_at(fields, "ls_offset"),
                              number_at(fields, "fetchq_cnt") == 0});
    }
}

} // namespace

Statistics parse_statistics(std::string_view text) {
    boost::system::error_code failed;
    const json::value parsed = json::parse(text, failed);
    if (failed || !parsed.is_object()) return {};
    const json::object& root = parsed.get_object();
    Statistics statistics;
    const json::object& brokers = object_at(root, "brokers");
    statistics.broker_up = std::any_of(brokers.begin(), brokers.end(), [](const auto& entry) {
        return entry.value().is_object() && text_is(entry.value().get_object(), "state", "UP");
    });
    for (const json::key_value_pair& topic : object_at(root, "topics")) {
        if (!topic.value().is_object()) continue;
        const std::size_t first = statistics.partitions.size();
        add_partitions(topic.value().get_object(), statistics.partitions);
        for (std::size_t index = first; index < statistics.partitions.size(); ++index)
            statistics.partitions[index].topic = topic.key();
    }
    return statistics;
}

std::vector<PartitionProgress> ProgressWatch::observe(const std::vector<PartitionProgress>& partitions,
                                                      base::SteadyTime now) {
    std::map<std::pair<std::string, std::int32_t>, Standstill> standing;
    std::vector<PartitionProgress> stuck;
    for (const PartitionProgress& partition : partitions) {
        if (!partition.queue_empty || partition.next_offset >= partition.end_offset) continue;
        const std::pair key{partition.topic, partition.partition};
        const auto known = standing_.find(key);
        Standstill current{partition.next_offset, now, false};
        if (known != standing_.end() && known->second.offset == partition.next_offset)
            current = known->second;
        if (!current.reported && now - current.since >= patience) {
            current.reported = true;
            stuck.push_back(partition);
        }
        standing.emplace(key, current);
    }
    standing_ = std::move(standing);
    return stuck;
}

} // namespace docmap::kafka
