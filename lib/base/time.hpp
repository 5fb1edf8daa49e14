// Points in time, and their ISO 8601 form. Pure functions: nothing here reads a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::base {

/// Monotonic time: deadlines and durations.
using SteadyTime = std::chrono::steady_clock::time_point;

/// Wall-clock time in UTC, in milliseconds: what users and the database see.
using SystemTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// `2025-01-15T10:00:00.000Z`. Years outside 0–9999 are clamped to that range.
std::string format_iso8601(SystemTime time);

/// Reads an ISO 8601 date and time (RFC 3339 profile: `T` or a space between them, optional fraction, `Z` or
/// a numeric offset required). Digits beyond milliseconds are cut off. Nothing on any other text.
std::optional<SystemTime> parse_iso8601(std::string_view text);

/// The wall clock, now.
SystemTime system_now();

} // namespace docmap::base
