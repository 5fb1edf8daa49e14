#include "base/time.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace docmap::base {

namespace {

using namespace std::chrono;

/// Consumes exactly `count` digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<milliseconds> take_fraction(std::string_view& text) {
    if (!take(text, ".,")) return milliseconds{0};
    int value = 0;
    std::size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 3) value = value * 10 + (text.front() - '0');
        ++digits;
        text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits)
        value *= 10;
    return milliseconds{value};
}

std::optional<minutes> take_offset(std::string_view& text) {
    if (take(text, "Zz")) return minutes{0};
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const auto offset_hours = take_digits(text, 2);
    if (!offset_hours || *offset_hours > 23) return std::nullopt;
    take(text, ":");
    const auto offset_minutes = take_digits(text, 2);
    if (!offset_minutes || *offset_minutes > 59) return std::nullopt;
    return minutes{sign * (*offset_hours * 60 + *offset_minutes)};
}

std::optional<sys_days> take_date(std::string_view& text) {
    const auto year_number = take_digits(text, 4);
    if (!year_number || !take(text, "-")) return std::nullopt;
    const auto month_number = take_digits(text, 2);
    if (!month_number || !take(text, "-")) return std::nullopt;
    const auto day_number = take_digits(text, 2);
    if (!day_number) return std::nullopt;
    const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                              day{static_cast<unsigned>(*day_number)}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date};
}

std::optional<seconds> take_time_of_day(std::string_view& text) {
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
    const auto second = take_digits(text, 2);
    // 60 is a leap second (RFC 3339, section 5.6).
    if (!second || *second > 60) return std::nullopt;
    return hours{*hour} + minutes{*minute} + seconds{*second};
}

} // namespace

std::string format_iso8601(SystemTime time) {
    const SystemTime first = sys_days{year{0} / 1 / 1};
    const SystemTime last = sys_days{year{10000} / 1 / 1} - milliseconds{1};
    time = std::clamp(time, first, last);
    const auto days_part = floor<days>(time);
    const year_month_day date{days_part};
    const hh_mm_ss clock{time - days_part};
    std::array<char, 40> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<SystemTime> parse_iso8601(std::string_view text) {
    const auto date = take_date(text);
    if (!date || !take(text, "Tt ")) return std::nullopt;
    const auto time_of_day = take_time_of_day(text);
    if (!time_of_day) return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    return SystemTime{*date + *time_of_day - *offset} + *fraction;
}

SystemTime system_now() {
    return floor<milliseconds>(system_clock::now());
}

} // namespace docmap::base
