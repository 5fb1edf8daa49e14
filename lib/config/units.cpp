#include "config/units.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <span>

namespace docmap::config {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

// Largest first.
constexpr auto duration_units =
    std::to_array<Unit>({{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}});
constexpr auto size_units =
    std::to_array<Unit>({{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}});

constexpr std::int64_t max_duration_ms = std::int64_t{100} * 365 * 24 * 3'600'000;

/// `max`: the largest result.
std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units,
                                            std::int64_t max) {
    std::int64_t number = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (status != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    for (const Unit& unit : units)
        if (text == unit.name && number <= max / unit.factor) return number * unit.factor;
    return std::nullopt;
}

std::string format_with_unit(std::int64_t number, std::span<const Unit> units) {
    for (const Unit& unit : units)
        if (number != 0 && number % unit.factor == 0)
            return std::to_string(number / unit.factor).append(unit.name);
    return "0";
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto milliseconds = parse_with_unit(text, duration_units, max_duration_ms);
    if (!milliseconds) return std::nullopt;
    return std::chrono::milliseconds(*milliseconds);
}

std::string format_duration(std::chrono::milliseconds duration) {
    if (duration.count() == 0) return "0s";
    return format_with_unit(duration.count(), duration_units);
}

std::optional<std::size_t> parse_size(std::string_view text) {
    constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
    auto bytes = parse_with_unit(text, size_units, max);
    if (!bytes) bytes = parse_with_unit(text, std::array{Unit{"", 1}}, max);
    if (!bytes) return std::nullopt;
    return static_cast<std::size_t>(*bytes);
}

std::string format_size(std::size_t bytes) {
    return format_with_unit(static_cast<std::int64_t>(bytes), size_units);
}

} // namespace docmap::config
