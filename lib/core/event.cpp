#include "core/event.hpp"

#include <algorithm>
#include <cstddef>
#include <new>
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
    const std::size_t text_bytes = fields.id.size() + fields.user_id.size() + fields.extraction_id.size();
    void* memory = ::operator new(sizeof(Event) + text_bytes);
    return EventPtr(new (memory) Event(std::move(record), fields), false);
}

Event::Event(RecordPtr record, const EventFields& fields)
    : record_(std::move(record)), body_hash_(fields.body_hash), type_(fields.type) {
    char* end = reinterpret_cast<char*>(this) + sizeof(Event);
    const auto copy = [&](std::string_view text) {
        const std::string_view copied{end, text.size()};
        end = std::copy(text.begin(), text.end(), end);
        return copied;
    };
    id_ = copy(fields.id);
    user_id_ = copy(fields.user_id);
    extraction_id_ = copy(fields.extraction_id);
}

void intrusive_ptr_add_ref(const Event* event) noexcept {
    event->references_.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const Event* event) noexcept {
    // Whoever has the only reference needs no atomic operation to give it up: nobody else can add one.
    if (event->references_.load(std::memory_order_acquire) != 1 &&
        event->references_.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    event->~Event();
    ::operator delete(const_cast<Event*>(event));
}

} // namespace docmap::core
