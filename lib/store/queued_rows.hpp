// How rows of the delivery queue become deliveries. Pure but for the log.
#pragma once

#include "base/hex.hpp"
#include "base/log.hpp"
#include "core/topic_name.hpp"
#include "ports/delivery_queue.hpp"
#include "store/webhook_rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::store {

template<typename Field>
std::string_view text_of(const Field& field) {
    return {field.c_str(), field.size()};
}

/// Reads the columns from the row's id on, as queue_claims.cpp selects them. The body is taken as it is: it
/// was decoded when it was read from Kafka. Nothing, after an error in the log, where the event is unknown.
template<typename Row>
std::optional<ports::QueuedDelivery> read_queued_delivery(const Row& row, const std::string& webhook_id) {
    ports::QueuedDelivery delivery;
    delivery.row_id = row[3].template as<std::int64_t>();
    const std::string_view event_name = text_of(row[12]);
    const auto type = core::parse_event_type(event_name);
    const auto body = base::from_hex(text_of(row[16]));
    if (!type || !body) {
        base::log::error("a row of the delivery queue cannot be read; it waits for another hour",
                         {{"row_id", delivery.row_id}, {"webhook_id", webhook_id}, {"event", event_name}});
        return std::nullopt;
    }
    core::RecordFields record;
    record.topic = &core::intern_topic(text_of(row[6]));
    record.partition = row[7].template as<std::int32_t>();
    record.offset = row[8].template as<std::int64_t>();
    record.assignment = core::no_assignment;
    record.timestamp = from_milliseconds(row[5].template as<std::int64_t>());
    record.value.emplace(reinterpret_cast<const char*>(body->data()), body->size());
    record.traceparent = text_of(row[14]);
    record.tracestate = text_of(row[15]);
    core::EventFields event;
    event.type = *type;
    event.id = text_of(row[13]);
    event.user_id = text_of(row[10]);
    event.extraction_id = text_of(row[11]);
    event.body_hash = static_cast<std::uint64_t>(row[9].template as<std::int64_t>());
    delivery.event = core::Event::create(core::Record::create(record), event);
    delivery.webhook_id = webhook_id;
    delivery.attempt = row[4].template as<std::uint16_t>();
    return delivery;
}

} // namespace docmap::store
