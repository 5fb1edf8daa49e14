// Dates as HTTP headers carry them.
// Pure function, usable on any thread.
#pragma once

#include "base/time.hpp"

#include <optional>
#include <string_view>

namespace docmap::core {

/// Reads an HTTP date in any of its three forms (RFC 9110, section 5.6.7); nothing on any other text. `now`
/// tells the century of a year with two digits, which is at most 50 years ahead. The name of the day is not
/// compared with the date.
std::optional<base::SystemTime> parse_http_date(std::string_view text, base::SystemTime now);

} // namespace docmap::core
