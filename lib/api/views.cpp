#include "api/views.hpp"

#include "base/time.hpp"
#include "core/event.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <optional>

namespace docmap::api {

namespace json = boost::json;

namespace {

template<typename T>
json::value or_null(const std::optional<T>& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

} // namespace

json::object to_json(const ports::WebhookView& webhook) {
    json::array events;
    for (const core::EventType type : core::all_event_types)
        if (webhook.events.contains(type)) events.emplace_back(core::name_of(type));
    json::object object;
    object["id"] = webhook.id;
    object["userId"] = webhook.user_id;
    object["url"] = webhook.url;
    object["events"] = std::move(events);
    object["active"] = webhook.active;
    object["createdAt"] = base::format_iso8601(webhook.created_at);
    return object;
}

json::object to_json(const ports::DeliveryView& delivery) {
    std::optional<std::string> next_attempt_at;
    if (delivery.next_attempt_at) next_attempt_at = base::format_iso8601(*delivery.next_attempt_at);
    json::object object;
    object["id"] = delivery.id;
    object["userId"] = delivery.user_id;
    object["webhookId"] = delivery.webhook_id;
    object["extractionId"] = delivery.extraction_id;
    object["event"] = delivery.event;
    object["url"] = delivery.url;
    object["status"] = delivery.success ? "success" : "failed";
    object["httpStatus"] = or_null(delivery.http_status);
    object["error"] = or_null(delivery.error);
    object["durationMs"] = delivery.duration_ms;
    object["createdAt"] = base::format_iso8601(delivery.created_at);
    object["eventId"] = delivery.event_id;
    object["attempt"] = delivery.attempt;
    object["nextAttemptAt"] = or_null(next_attempt_at);
    return object;
}

} // namespace docmap::api
