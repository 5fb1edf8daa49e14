#include "store/webhook_rows.hpp"

#include "store/array_literal.hpp"

#include <algorithm>
#include <chrono>

namespace docmap::store {

core::EventSet parse_events(std::string_view names) {
    core::EventSet events;
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(','), names.size());
        if (const auto type = core::parse_event_type(names.substr(0, end))) events.insert(*type);
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return events;
}

std::string events_literal(core::EventSet events) {
    std::string out;
    ArrayLiteral array(out);
    for (const core::EventType type : core::all_event_types)
        if (events.contains(type)) array.text(core::name_of(type));
    array.close();
    return out;
}

base::SystemTime from_milliseconds(std::int64_t milliseconds) {
    return base::SystemTime(std::chrono::milliseconds(milliseconds));
}

} // namespace docmap::store
