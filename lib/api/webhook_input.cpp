#include "api/webhook_input.hpp"

#include "base/ip_address.hpp"
#include "core/url.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace docmap::api {

namespace json = boost::json;

namespace {

std::string known_events() {
    std::string names;
    for (const core::EventType type : core::all_event_types)
        names.append(names.empty() ? "" : ", ").append(core::name_of(type));
    return names;
}

ApiResult<std::string> read_url(const json::object& body, const UrlRules& rules) {
    const json::value* const field = body.if_contains("url");
    if (field == nullptr) return validation_error("url", "is required");
    if (!field->is_string()) return validation_error("url", "must be a string");
    const std::string url(field->get_string().data(), field->get_string().size());

    const base::Result<core::WebhookUrl> parsed = core::parse_webhook_url(url, rules.allow_http);
    if (!parsed) return validation_error("url", parsed.error().message);
    // A name is judged when it has been resolved, at each delivery; an address can be judged now.
    if (const std::optional<base::IpAddress> address = base::IpAddress::from_string(parsed->origin.host)) {
        if (const std::optional<std::string> refusal = rules.address_policy.refusal(*address))
            return validation_error("url", "must lead to a public address; " + *refusal);
    }
    return url;
}

ApiResult<core::EventSet> read_events(const json::object& body) {
    const json::value* const field = body.if_contains("events");
    if (field == nullptr) return validation_error("events", "is required");
    if (!field->is_array()) return validation_error("events", "must be an array of event names");
    core::EventSet events;
    for (const json::value& entry : field->get_array()) {
        std::optional<core::EventType> type;
        if (entry.is_string()) type = core::parse_event_type(entry.get_string());
        if (!type) return validation_error("events", "must hold only these names: " + known_events());
        events.insert(*type);
    }
    if (events.empty()) return validation_error("events", "must hold at least one of: " + known_events());
    return events;
}

} // namespace

ApiResult<WebhookInput> read_webhook_input(const json::object& body, const UrlRules& rules) {
    ApiResult<std::string> url = read_url(body, rules);
    if (!url) return url.error();
    const ApiResult<core::EventSet> events = read_events(body);
    if (!events) return events.error();
    return WebhookInput{std::move(*url), *events};
}

bool is_webhook_id(std::string_view text) {
    constexpr std::string_view prefix = "webhook-";
    const auto is_id_character = [](char character) {
        return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
    };
    return text.size() == prefix.size() + 12 && text.starts_with(prefix) &&
           std::ranges::all_of(text.substr(prefix.size()), is_id_character);
}

} // namespace docmap::api
