// The rules that an event's fields have to keep, and the line that says which one is broken.
// Pure functions and plain values, usable on any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::core {

/// What stands in a field. `unreadable`: a string whose escapes stand for no text (an unpaired surrogate).
enum class JsonKind : std::uint8_t { absent, null, boolean, number, string, unreadable, array, object };

/// `a string`, `an array` and so on.
std::string_view describe(JsonKind kind);

struct JsonField {
    JsonKind kind = JsonKind::absent;
    std::string_view text; ///< of a string, unescaped
};

/// The members of an event that the daemon reads. All others pass through unread.
enum class EventField : std::uint8_t { event, user_id, extraction_id, id, created_at, data };

inline constexpr std::size_t event_field_count = 6;

inline constexpr std::size_t max_event_id_size = 128;

/// Whether an event's id may hold the character.
constexpr bool is_event_id_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '-';
}

/// The field of that name, or nothing.
std::optional<EventField> find_event_field(std::string_view name);

/// The fields found in one event. Views must outlive it.
class EventDocument {
  public:
    /// Sets a field; remembers a field that is there twice, since which of the two counts would depend on the
    /// reader.
    void set(EventField field, JsonField value);

    const JsonField& operator[](EventField field) const { return fields_[static_cast<std::size_t>(field)]; }

    std::optional<EventField> repeated() const { return repeated_; }

  private:
    std::array<JsonField, event_field_count> fields_;
    std::optional<EventField> repeated_;
};

/// The first rule that the event breaks: one line with the field's name, the rule and what the field has
/// instead. Empty where it keeps them all. `null` in an optional field counts as absent.
std::string find_broken_rule(const EventDocument& document);

} // namespace docmap::core
