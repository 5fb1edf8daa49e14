#include "core/http_date.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <span>

namespace docmap::core {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> short_days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_days = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes a text apart from its front. After the first mismatch every further step fails too.
class Reader {
  public:
    explicit Reader(std::string_view text) : left_(text) {}

    void literal(std::string_view wanted) {
        matches_ = matches_ && left_.starts_with(wanted);
        if (matches_) left_.remove_prefix(wanted.size());
    }

    /// Exactly `count` digits.
    unsigned number(std::size_t count) {
        matches_ = matches_ && left_.size() >= count;
        unsigned value = 0;
        for (std::size_t i = 0; matches_ && i < count; ++i) {
            const char digit = left_[i];
            matches_ = digit >= '0' && digit <= '9';
            value = value * 10 + static_cast<unsigned>(digit - '0');
        }
        if (matches_) left_.remove_prefix(count);
        return value;
    }

    /// One of `names`; its number, from 1.
    unsigned name(std::span<const std::string_view> names) {
        unsigned number = 0;
        for (const std::string_view name : names) {
            ++number;
            if (!left_.starts_with(name)) continue;
            left_.remove_prefix(name.size());
            return number;
        }
        matches_ = false;
        return 0;
    }

    bool begins_with(std::string_view text) const { return left_.starts_with(text); }

    /// Every step has matched and nothing is left.
    bool complete() const { return matches_ && left_.empty(); }

  private:
    std::string_view left_;
    bool matches_ = true;
};

struct TimeOfDay {
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
};

TimeOfDay read_time_of_day(Reader& reader) {
    TimeOfDay time;
    time.hour = reader.number(2);
    reader.literal(":");
    time.minute = reader.number(2);
    reader.literal(":");
    time.second = reader.number(2);
    return time;
}

std::optional<base::SystemTime> point_in_time(unsigned year_number, unsigned month_number,
                                              unsigned day_number, const TimeOfDay& time) {
    const year_month_day date{year{static_cast<int>(year_number)}, month{month_number}, day{day_number}};
    // 60 is a leap second.
    if (!date.ok() || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
    return sys_days{date} + hours{time.hour} + minutes{time.minute} + seconds{time.second};
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
std::optional<base::SystemTime> parse_imf_fixdate(std::string_view text) {
    Reader reader(text);
    reader.name(short_days);
    reader.literal(", ");
    const unsigned day = reader.number(2);
    reader.literal(" ");
    const unsigned month = reader.name(months);
    reader.literal(" ");
    const unsigned year = reader.number(4);
    reader.literal(" ");
    const TimeOfDay time = read_time_of_day(reader);
    reader.literal(" GMT");
    if (!reader.complete()) return std::nullopt;
    return point_in_time(year, month, day, time);
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
std::optional<base::SystemTime> parse_rfc850_date(std::string_view text, base::SystemTime now) {
    Reader reader(text);
    reader.name(long_days);
    reader.literal(", ");
    const unsigned day = reader.number(2);
    reader.literal("-");
    const unsigned month = reader.name(months);
    reader.literal("-");
    const unsigned year_of_century = reader.number(2);
    reader.literal(" ");
    const TimeOfDay time = read_time_of_day(reader);
    reader.literal(" GMT");
    if (!reader.complete()) return std::nullopt;
    const year_month_day today{floor<days>(now)};
    const unsigned latest_year = static_cast<unsigned>(static_cast<int>(today.year())) + 50;
    return point_in_time(latest_year - (latest_year - year_of_century) % 100, month, day, time);
}

/// `Sun Nov  6 08:49:37 1994`
std::optional<base::SystemTime> parse_asctime_date(std::string_view text) {
    Reader reader(text);
    reader.name(short_days);
    reader.literal(" ");
    const unsigned month = reader.name(months);
    reader.literal(" ");
    const bool one_digit = reader.begins_with(" ");
    if (one_digit) reader.literal(" ");
    const unsigned day = reader.number(one_digit ? 1 : 2);
    reader.literal(" ");
    const TimeOfDay time = read_time_of_day(reader);
    reader.literal(" ");
    const unsigned year = reader.number(4);
    if (!reader.complete()) return std::nullopt;
    return point_in_time(year, month, day, time);
}

} // namespace

std::optional<base::SystemTime> parse_http_date(std::string_view text, base::SystemTime now) {
    if (const auto date = parse_imf_fixdate(text)) return date;
    if (const auto date = parse_rfc850_date(text, now)) return date;
    return parse_asctime_date(text);
}

} // namespace docmap::core
