#include "core/event.hpp"

#include <utility>

namespace docmap::core {

std::string_view name_of(EventType type) {
    switch (type) {
    case EventType::extraction_completed:
        return "extraction.completed";
    case EventType::extraction_failed:
        return "extraction.failed";
    }
    return {};
}

std::optional<EventType> parse_event_type(std::string_view name) {
    for (const EventType type : all_event_types)
        if (name == name_of(type)) return type;
    return std::nullopt;
}

EventPtr Event::create(RecordPtr record, const EventFields& fields) {
    return EventPtr(new Event(std::move(record), fields));
}

Event::Event(RecordPtr record, const EventFields& fields)
    : record_(std::move(record)), body_hash_(fields.body_hash), type_(fields.type) {
    text_.reserve(fields.id.size() + fields.user_id.size() + fields.extraction_id.size());
    text_.append(fields.id).append(fields.user_id).append(fields.extraction_id);
    const std::string_view text = text_;
    id_ = text.substr(0, fields.id.size());
    user_id_ = text.substr(fields.id.size(), fields.user_id.size());
    extraction_id_ = text.substr(fields.id.size() + fields.user_id.size());
}

void intrusive_ptr_add_ref(const Event* event) noexcept {
    event->references_.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const Event* event) noexcept {
    if (event->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete event;
}

} // namespace docmap::core
