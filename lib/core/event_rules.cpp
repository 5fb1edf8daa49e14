#include "core/event_rules.hpp"

#include "base/time.hpp"
#include "core/event.hpp"

#include <algorithm>
#include <cstdio>

namespace docmap::core {

namespace {

constexpr std::size_t max_characters = 128;
constexpr std::size_t max_quoted_characters = 64;

constexpr std::array<std::string_view, event_field_count> field_names = {"event", "userId",    "extractionId",
                                                                         "id",    "createdAt", "data"};

std::string_view name_of(EventField field) {
    return field_names[static_cast<std::size_t>(field)];
}

bool is_optional(EventField field) {
    return field >= EventField::id;
}

bool is_continuation_byte(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Code points of UTF-8 text.
std::size_t count_characters(std::string_view text) {
    return text.size() -
           static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation_byte));
}

/// The text in quotes, cut after 64 characters, control characters escaped: one line whatever it holds.
std::string quote(std::string_view text) {
    std::string quoted = "\"";
    std::size_t characters = 0;
    for (const char c : text) {
        if (!is_continuation_byte(c) && characters++ == max_quoted_characters) {
            quoted += "…";
            break;
        }
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            quoted += c;
            continue;
        }
        std::array<char, 7> escape{};
        std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
        quoted += escape.data();
    }
    return quoted + "\"";
}

std::string broken(EventField field, std::string_view rule, std::string_view found) {
    std::string line(name_of(field));
    line.append(": ").append(rule).append(is_optional(field) ? " is required where it is set"
                                                             : " is required");
    return line.append("; it ").append(found);
}

/// A text that PostgreSQL can store and that is 1 to 128 characters long.
std::string check_text(EventField field, const JsonField& value) {
    static constexpr std::string_view rule = "a string of 1 to 128 characters";
    if (value.kind == JsonKind::absent) return broken(field, rule, "is missing");
    if (value.kind != JsonKind::string) return broken(field, rule, "is " + std::string(describe(value.kind)));
    if (value.text.empty()) return broken(field, rule, "is empty");
    if (value.text.size() > max_characters && count_characters(value.text) > max_characters)
        return broken(field, rule, "has " + std::to_string(count_characters(value.text)));
    if (value.text.find('\0') != std::string_view::npos)
        return broken(field, "a string without the character U+0000", "has one");
    return {};
}

std::string check_event(const JsonField& value) {
    static constexpr std::string_view rule = "\"extraction.completed\" or \"extraction.failed\"";
    if (value.kind == JsonKind::absent) return broken(EventField::event, rule, "is missing");
    if (value.kind != JsonKind::string)
        return broken(EventField::event, rule, "is " + std::string(describe(value.kind)));
    if (!parse_event_type(value.text)) return broken(EventField::event, rule, "is " + quote(value.text));
    return {};
}

bool is_unset(const JsonField& value) {
    return value.kind == JsonKind::absent || value.kind == JsonKind::null;
}

std::string check_id(const JsonField& value) {
    static constexpr std::string_view rule = "a string of 1 to 128 characters of A-Z a-z 0-9 _ . -";
    if (is_unset(value)) return {};
    if (value.kind != JsonKind::string)
        return broken(EventField::id, rule, "is " + std::string(describe(value.kind)));
    if (value.text.empty()) return broken(EventField::id, rule, "is empty");
    if (!std::all_of(value.text.begin(), value.text.end(), is_event_id_character))
        return broken(EventField::id, rule, "is " + quote(value.text));
    if (value.text.size() > max_event_id_size)
        return broken(EventField::id, rule, "has " + std::to_string(value.text.size()));
    return {};
}

std::string check_created_at(const JsonField& value) {
    static constexpr std::string_view rule = "an ISO 8601 time such as \"2025-01-15T10:00:00.000Z\"";
    if (is_unset(value)) return {};
    if (value.kind != JsonKind::string)
        return broken(EventField::created_at, rule, "is " + std::string(describe(value.kind)));
    if (!base::parse_iso8601(value.text))
        return broken(EventField::created_at, rule, "is " + quote(value.text));
    return {};
}

std::string check_data(const JsonField& value) {
    if (is_unset(value) || value.kind == JsonKind::object) return {};
    return broken(EventField::data, "an object", "is " + std::string(describe(value.kind)));
}

} // namespace

std::string_view describe(JsonKind kind) {
    switch (kind) {
    case JsonKind::absent:
        return "missing";
    case JsonKind::null:
        return "null";
    case JsonKind::boolean:
        return "a boolean";
    case JsonKind::number:
        return "a number";
    case JsonKind::string:
        return "a string";
    case JsonKind::unreadable:
        return "a string with an unpaired surrogate";
    case JsonKind::array:
        return "an array";
    case JsonKind::object:
        return "an object";
    }
    return {};
}

std::optional<EventField> find_event_field(std::string_view name) {
    // No two names have the same length, so one comparison settles each.
    switch (name.size()) {
    case 2:
        return name == "id" ? std::optional(EventField::id) : std::nullopt;
    case 4:
        return name == "data" ? std::optional(EventField::data) : std::nullopt;
    case 5:
        return name == "event" ? std::optional(EventField::event) : std::nullopt;
    case 6:
        return name == "userId" ? std::optional(EventField::user_id) : std::nullopt;
    case 9:
        return name == "createdAt" ? std::optional(EventField::created_at) : std::nullopt;
    case 12:
        return name == "extractionId" ? std::optional(EventField::extraction_id) : std::nullopt;
    default:
        return std::nullopt;
    }
}

void EventDocument::set(EventField field, JsonField value) {
    JsonField& place = fields_[static_cast<std::size_t>(field)];
    if (place.kind != JsonKind::absent && !repeated_) repeated_ = field;
    place = value;
}

std::string find_broken_rule(const EventDocument& document) {
    if (const auto field = document.repeated()) {
        return std::string(name_of(*field)) + ": a field may be there once; it is there more than once";
    }
    std::string reason = check_event(document[EventField::event]);
    for (const EventField field : {EventField::user_id, EventField::extraction_id})
        if (reason.empty()) reason = check_text(field, document[field]);
    if (reason.empty()) reason = check_id(document[EventField::id]);
    if (reason.empty()) reason = check_created_at(document[EventField::created_at]);
    if (reason.empty()) reason = check_data(document[EventField::data]);
    return reason;
}

} // namespace docmap::core
