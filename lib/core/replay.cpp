#include "core/replay.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <array>
#include <unordered_map>
#include <utility>

namespace docmap::core {

namespace {

namespace json = boost::json;

constexpr std::array<std::pair<ReplayStatus, std::string_view>, 3> statuses = {{
    {ReplayStatus::missing, "missing"},
    {ReplayStatus::failed, "failed"},
    {ReplayStatus::all, "all"},
}};

struct Count {
    std::string_view name;
    std::uint64_t ReplayCounts::*value;
};

constexpr std::array<Count, 12> all_counts = {{
    {"read", &ReplayCounts::read},
    {"matched", &ReplayCounts::matched},
    {"queued", &ReplayCounts::queued},
    {"skipped_outside_range", &ReplayCounts::outside_range},
    {"skipped_no_event", &ReplayCounts::no_event},
    {"skipped_other_user", &ReplayCounts::other_user},
    {"skipped_no_webhook", &ReplayCounts::no_webhook},
    {"skipped_succeeded", &ReplayCounts::succeeded},
    {"skipped_failed", &ReplayCounts::failed},
    {"skipped_waiting", &ReplayCounts::waiting},
    {"skipped_never_attempted", &ReplayCounts::never_attempted},
    {"skipped_too_old_to_know", &ReplayCounts::too_old_to_know},
}};

base::Result<json::object> parse_object(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse({text.data(), text.size()}, error);
    if (error || !value.is_object()) return base::Error{"not a JSON object"};
    return std::move(value.get_object());
}

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// Absent is no time; a text that is none is refused, since the range would be another one.
base::Result<std::optional<base::SystemTime>> time_of(const json::object& object, std::string_view name) {
    const std::string text = text_of(object, name);
    if (text.empty()) return std::optional<base::SystemTime>();
    const auto time = base::parse_iso8601(text);
    if (!time) return base::Error{std::string(name) + " is no time: \"" + text + "\""};
    return time;
}

} // namespace

std::string_view name_of(ReplayStatus status) {
    for (const auto& [value, name] : statuses)
        if (value == status) return name;
    return {};
}

std::optional<ReplayStatus> parse_replay_status(std::string_view name) {
    for (const auto& [value, known] : statuses)
        if (known == name) return value;
    return std::nullopt;
}

std::string to_json(const ReplaySelection& selection) {
    json::object object;
    object["status"] = name_of(selection.status);
    if (selection.from) object["from"] = base::format_iso8601(*selection.from);
    if (selection.to) object["to"] = base::format_iso8601(*selection.to);
    if (!selection.user_id.empty()) object["userId"] = selection.user_id;
    if (!selection.webhook_id.empty()) object["webhookId"] = selection.webhook_id;
    return json::serialize(object);
}

base::Result<ReplaySelection> parse_replay_selection(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return object.error();
    const auto status = parse_replay_status(text_of(*object, "status"));
    if (!status) return base::Error{"status is none of missing, failed, all"};
    const auto from = time_of(*object, "from");
    if (!from) return from.error();
    const auto to = time_of(*object, "to");
    if (!to) return to.error();
    return ReplaySelection{*from, *to, text_of(*object, "userId"), text_of(*object, "webhookId"), *status};
}

std::string format(const ReplayCounts& counts) {
    std::string line;
    for (const Count& count : all_counts) {
        if (!line.empty()) line += ' ';
        line.append(count.name).append("=").append(std::to_string(counts.*count.value));
    }
    return line;
}

std::string to_json(const ReplayCounts& counts) {
    json::object object;
    for (const Count& count : all_counts)
        object[count.name] = counts.*count.value;
    return json::serialize(object);
}

base::Result<ReplayCounts> parse_replay_counts(std::string_view text) {
    const auto object = parse_object(text);
    if (!object) return object.error();
    ReplayCounts counts;
    for (const Count& count : all_counts) {
        const json::value* value = object->if_contains(count.name);
        if (value == nullptr) continue;
        boost::system::error_code error;
        counts.*count.value = value->to_number<std::uint64_t>(error);
        if (error) return base::Error{std::string(count.name) + " is no count"};
    }
    return counts;
}

EventPtr ReplayMatcher::match(const RecordPtr& record, ReplayCounts& counts) {
    ++counts.read;
    if (!selection_.covers(record->timestamp())) {
        ++counts.outside_range;
        return nullptr;
    }
    DecodeResult event = decoder_.decode(record);
    if (!event) {
        ++counts.no_event;
        return nullptr;
    }
    if (!selection_.user_id.empty() && (*event)->user_id() != selection_.user_id) {
        ++counts.other_user;
        return nullptr;
    }
    return std::move(*event);
}

std::vector<ReplayCandidate> find_candidates(std::span<const EventPtr> events,
                                             std::span<const ReplayWebhook> webhooks,
                                             const ReplaySelection& selection, base::SystemTime log_start,
                                             ReplayCounts& counts) {
    std::unordered_multimap<std::string_view, const ReplayWebhook*> by_user;
    for (const ReplayWebhook& webhook : webhooks)
        if (selection.webhook_id.empty() || webhook.webhook->id == selection.webhook_id)
            by_user.emplace(webhook.webhook->user_id, &webhook);

    std::vector<ReplayCandidate> candidates;
    for (const EventPtr& event : events) {
        const std::size_t before = candidates.size();
        const auto [first, last] = by_user.equal_range(event->user_id());
        for (auto place = first; place != last; ++place) {
            const ReplayWebhook& webhook = *place->second;
            if (!webhook.webhook->events.contains(event->type())) continue;
            const bool known = webhook.created_at >= log_start || event->record().timestamp() >= log_start;
            candidates.push_back({event, webhook.webhook, known});
        }
        ++(candidates.size() > before ? counts.matched : counts.no_webhook);
    }
    return candidates;
}

bool is_chosen(const ReplayCandidate& candidate, DeliveryState state, ReplayStatus status,
               ReplayCounts& counts) {
    // Also where all are asked for: a delivery waits once.
    if (state == DeliveryState::waiting) {
        ++counts.waiting;
        return false;
    }
    if (status == ReplayStatus::all) return true;
    if (state == DeliveryState::succeeded) {
        ++counts.succeeded;
        return false;
    }
    if (status == ReplayStatus::failed) {
        if (state == DeliveryState::failed) return true;
        ++(candidate.history_is_known ? counts.never_attempted : counts.too_old_to_know);
        return false;
    }
    if (state == DeliveryState::failed) {
        ++counts.failed;
        return false;
    }
    // No attempt is recorded, but one may have been made and its record dropped with its day.
    if (!candidate.history_is_known) {
        ++counts.too_old_to_know;
        return false;
    }
    return true;
}

} // namespace docmap::core
