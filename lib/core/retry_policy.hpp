// When a failed attempt is tried again.
// Pure functions, usable on any thread.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace docmap::core {

/// Each wait of the schedule is shortened or lengthened at random by up to this share.
inline constexpr double retry_jitter = 0.2;

/// No Retry-After is honoured beyond this.
inline constexpr std::chrono::hours max_retry_after{24};

struct FailedAttempt {
    std::uint16_t attempt = 1;      ///< its number, from 1
    std::uint16_t http_status = 0;  ///< 0: no response came
    bool blocked = false;           ///< refused locally, for good: there is no next try
    std::string_view retry_after{}; ///< the header's value; empty where absent
    base::SystemTime ended_at{};
};

/// The start of the next try; nothing where there is none: the schedule is used up, the refusal was local, or
/// the endpoint is gone (410). `random` lies in [0, 1) and picks the jitter. On 429 and 503 the next try is
/// not before what Retry-After asks for (RFC 9110, section 10.2.3), at most `max_retry_after` after the
/// attempt's end.
std::optional<base::SystemTime> next_attempt_at(const FailedAttempt& failed,
                                                const std::vector<std::chrono::milliseconds>& schedule,
                                                double random);

/// When a Retry-After header allows the next try: seconds from `now` on, whole or with a fraction, or an HTTP
/// date. Never before `now`, for a date in the past, and never after `now + max_retry_after`. Parts of a
/// millisecond are rounded up. Nothing where the text is neither.
std::optional<base::SystemTime> parse_retry_after(std::string_view value, base::SystemTime now);

} // namespace docmap::core
