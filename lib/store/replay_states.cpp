#include "store/replay_states.hpp"

#include "store/array_literal.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace docmap::store {

namespace {

// LATERAL: each range is one scan of the index on (topic, partition, kafka_offset) of each day, and of the
// queue.
constexpr Statement select_states = {
    "select_replay_states",
    "WITH range AS MATERIALIZED (SELECT unnest($1::text[]) AS topic, unnest($2::integer[]) AS partition, "
    "  unnest($3::bigint[]) AS first_offset, unnest($4::bigint[]) AS last_offset) "
    "SELECT found.* FROM range, LATERAL ("
    "  SELECT d.topic, d.partition, d.kafka_offset, d.webhook_id, d.body_hash, bool_or(d.success), false "
    "  FROM deliveries d WHERE d.topic = range.topic AND d.partition = range.partition "
    "  AND d.kafka_offset BETWEEN range.first_offset AND range.last_offset "
    "  AND d.webhook_id = ANY ($5::text[]) GROUP BY 1, 2, 3, 4, 5 "
    "  UNION ALL "
    "  SELECT q.topic, q.partition, q.kafka_offset, q.webhook_id, q.body_hash, false, true "
    "  FROM delivery_queue q WHERE q.topic = range.topic AND q.partition = range.partition "
    "  AND q.kafka_offset BETWEEN range.first_offset AND range.last_offset "
    "  AND q.webhook_id = ANY ($5::text[])) found"};

struct OffsetRange {
    std::int64_t first;
    std::int64_t last;
};

std::map<std::pair<std::string_view, std::int32_t>, OffsetRange>
ranges_of(std::span<const core::ReplayCandidate> candidates) {
    std::map<std::pair<std::string_view, std::int32_t>, OffsetRange> ranges;
    for (const core::ReplayCandidate& candidate : candidates) {
        const core::Record& record = candidate.event->record();
        const OffsetRange here{record.offset(), record.offset()};
        const auto [place, added] = ranges.try_emplace({record.topic(), record.partition()}, here);
        place->second.first = std::min(place->second.first, record.offset());
        place->second.last = std::max(place->second.last, record.offset());
    }
    return ranges;
}

} // namespace

core::DeliveryState DeliveryStates::of(const core::ReplayCandidate& candidate) const {
    const core::Record& record = candidate.event->record();
    const auto found =
        states_.find({record.topic(), record.partition(), record.offset(), candidate.webhook->id.text(),
                      static_cast<std::int64_t>(candidate.event->body_hash())});
    return found == states_.end() ? core::DeliveryState::never_attempted : found->second;
}

void DeliveryStates::add(const std::string& topic, std::int32_t partition, std::int64_t offset,
                         const std::string& webhook_id, std::int64_t body_hash, core::DeliveryState state) {
    const auto [place, added] = states_.try_emplace({topic, partition, offset, webhook_id, body_hash}, state);
    place->second = std::max(place->second, state);
}

DeliveryStates find_states(Connection& connection, pqxx::transaction_base& transaction,
                           std::span<const core::ReplayCandidate> candidates) {
    std::vector<std::string>& text = connection.buffers(5);
    ArrayLiteral topic(text[0]), partition(text[1]), first(text[2]), last(text[3]), webhook(text[4]);
    for (const auto& [place, range] : ranges_of(candidates)) {
        topic.text(place.first);
        partition.integer(place.second);
        first.integer(range.first);
        last.integer(range.last);
    }
    std::set<std::string_view> webhooks;
    for (const core::ReplayCandidate& candidate : candidates)
        if (webhooks.insert(candidate.webhook->id.text()).second) webhook.text(candidate.webhook->id.text());
    for (ArrayLiteral* column : {&topic, &partition, &first, &last, &webhook})
        column->close();

    DeliveryStates states;
    for (const auto& row :
         connection.run_in(transaction, select_states, text[0], text[1], text[2], text[3], text[4])) {
        const bool waits = row[6].as<bool>();
        const bool succeeded = row[5].as<bool>();
        states.add(row[0].as<std::string>(), row[1].as<std::int32_t>(), row[2].as<std::int64_t>(),
                   row[3].as<std::string>(), row[4].as<std::int64_t>(),
                   waits       ? core::DeliveryState::waiting
                   : succeeded ? core::DeliveryState::succeeded
                               : core::DeliveryState::failed);
    }
    return states;
}

} // namespace docmap::store
