#include "core/retry_policy.hpp"

#include "base/invariant.hpp"
#include "core/http_date.hpp"

#include <algorithm>

namespace docmap::core {

namespace {

using namespace std::chrono;

constexpr std::string_view digits = "0123456789";

std::string_view without_outer_whitespace(std::string_view text) {
    constexpr std::string_view whitespace = " \t";
    const std::size_t first = text.find_first_not_of(whitespace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(whitespace) - first + 1);
}

/// Takes the digits at the front of `text`; how many there are may be 0.
std::string_view take_digits(std::string_view& text) {
    const std::string_view taken = text.substr(0, text.find_first_not_of(digits));
    text.remove_prefix(taken.size());
    return taken;
}

/// The seconds that `text` counts, if it does, at most `limit`.
std::optional<milliseconds> parse_seconds(std::string_view text, milliseconds limit) {
    const std::string_view whole = take_digits(text);
    if (whole.empty()) return std::nullopt;
    std::string_view fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = take_digits(text);
        if (fraction.empty()) return std::nullopt;
    }
    if (!text.empty()) return std::nullopt;
    milliseconds counted{0};
    for (const char digit : whole)
        counted = std::min(counted * 10 + seconds{digit - '0'}, limit);
    milliseconds place{100};
    for (const char digit : fraction.substr(0, 3)) {
        counted += place * (digit - '0');
        place /= 10;
    }
    const bool has_rest = fraction.find_first_not_of('0', 3) != std::string_view::npos;
    return std::min(counted + milliseconds{has_rest ? 1 : 0}, limit);
}

/// `wait`, shortened or lengthened; `random` lies in [0, 1).
milliseconds with_jitter(milliseconds wait, double random) {
    return wait + round<milliseconds>(wait * (retry_jitter * (2 * random - 1)));
}

} // namespace

std::optional<base::SystemTime> next_attempt_at(const FailedAttempt& failed,
                                                const std::vector<std::chrono::milliseconds>& schedule,
                                                double random) {
    base::require(failed.attempt > 0, "attempts are counted from 1");
    if (failed.blocked || failed.http_status == 410 || failed.attempt > schedule.size()) return std::nullopt;
    const base::SystemTime scheduled = failed.ended_at + with_jitter(schedule[failed.attempt - 1U], random);
    if (failed.http_status != 429 && failed.http_status != 503) return scheduled;
    return std::max(scheduled, parse_retry_after(failed.retry_after, failed.ended_at).value_or(scheduled));
}

std::optional<base::SystemTime> parse_retry_after(std::string_view value, base::SystemTime now) {
    const std::string_view text = without_outer_whitespace(value);
    if (const auto wait = parse_seconds(text, max_retry_after)) return now + *wait;
    const auto date = parse_http_date(text, now);
    if (!date) return std::nullopt;
    return std::clamp<base::SystemTime>(*date, now, now + max_retry_after);
}

} // namespace docmap::core
