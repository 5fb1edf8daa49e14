// Durations and sizes as text: `10s`, `64KiB`. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::config {

/// A whole number with ms, s, m or h. Nothing on other text, and beyond about 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// In the largest unit that gives a whole number: `90s`, `2h`.
std::string format_duration(std::chrono::milliseconds duration);

/// A whole number of bytes with B, KiB, MiB, GiB or no unit. Nothing on other text, and beyond 8 EiB.
std::optional<std::size_t> parse_size(std::string_view text);

/// In the largest unit that gives a whole number: `64KiB`, `1000B`.
std::string format_size(std::size_t bytes);

} // namespace docmap::config
