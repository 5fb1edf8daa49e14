// How webhooks are written in the database: columns to values and back. Pure functions.
#pragma once

#include "core/webhook.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace docmap::store {

/// The set behind names joined by commas. Names this program does not know are left out.
core::EventSet parse_events(std::string_view names);

/// The set as a PostgreSQL array literal of names.
std::string events_literal(core::EventSet events);

/// The point in time behind milliseconds since the epoch, as the queries here select it.
base::SystemTime from_milliseconds(std::int64_t milliseconds);

} // namespace docmap::store
