// Attempts and rejected records for the store's tests.
#pragma once

#include "core/attempt.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::test {

struct AttemptSpec {
    std::int64_t offset = 0;
    std::uint16_t http_status = 200; ///< 0: no response; anything but 200 is a failure
    std::string error = {};
    std::string user_id = "uid_1";
    std::string webhook_id = "webhook-aaaaaaaaaaaa";
    std::string extraction_id = "extract-1";
    core::EventType type = core::EventType::extraction_completed;
    base::SystemTime started_at{std::chrono::milliseconds{1737383404123}}; ///< 2025-01-20T14:30:04.123Z
    std::uint16_t attempt = 1;
    std::optional<std::int64_t> claimed_row = {}; ///< row of the delivery queue that it was claimed from
    std::optional<base::SystemTime> next_attempt_at = {};
    bool deactivates = false;
    std::string body = "{}";
};

inline const std::string& completed_topic() {
    static const std::string topic = "extraction.completed";
    return topic;
}

inline core::RecordPtr make_record(std::int64_t offset, std::optional<std::string_view> value) {
    core::RecordFields fields;
    fields.topic = &completed_topic();
    fields.partition = 3;
    fields.offset = offset;
    fields.timestamp = base::SystemTime(std::chrono::milliseconds{-1});
    fields.value = value;
    fields.key = "key";
    return core::Record::create(fields);
}

/// A delivery of the event `evt_<offset>`.
inline core::Delivery make_delivery(const AttemptSpec& spec) {
    const std::string event_id = "evt_" + std::to_string(spec.offset);
    core::EventFields fields;
    fields.type = spec.type;
    fields.id = event_id;
    fields.user_id = spec.user_id;
    fields.extraction_id = spec.extraction_id;
    fields.body_hash = static_cast<std::uint64_t>(-2);

    auto webhook = std::make_shared<core::Webhook>();
    webhook->id = core::WebhookId(spec.webhook_id);
    webhook->user_id = spec.user_id;
    webhook->url = "https://example.test/hook";

    core::Delivery delivery;
    delivery.event = core::Event::create(make_record(spec.offset, spec.body), fields);
    delivery.webhook = std::move(webhook);
    delivery.attempt = spec.attempt;
    if (spec.claimed_row)
        delivery.claim = std::make_shared<core::QueueClaim>(core::QueueClaim{*spec.claimed_row, {}});
    return delivery;
}

/// An attempt whose id is its number less one, and its offset, in 24 digits.
inline core::AttemptRecord make_attempt(const AttemptSpec& spec) {
    const std::string number = std::to_string(spec.offset);
    core::AttemptRecord row;
    row.delivery = make_delivery(spec);
    row.id.fill('0');
    std::copy(number.begin(), number.end(), row.id.end() - static_cast<std::ptrdiff_t>(number.size()));
    row.id[0] = static_cast<char>('0' + spec.attempt - 1);
    row.started_at = spec.started_at;
    row.duration = std::chrono::milliseconds{342};
    row.http_status = spec.http_status;
    row.success = spec.http_status == 200;
    row.error = spec.error;
    row.next_attempt_at = spec.next_attempt_at;
    row.deactivates = spec.deactivates;
    return row;
}

inline core::ParkedDelivery make_parked(const AttemptSpec& spec, base::SystemTime parked_at,
                                        std::optional<base::SystemTime> not_before = std::nullopt) {
    return {make_delivery(spec), parked_at, not_before};
}

inline core::RejectedRecord make_rejected(std::int64_t offset, std::optional<std::string_view> value) {
    return {make_record(offset, value), "not JSON"};
}

} // namespace docmap::test
