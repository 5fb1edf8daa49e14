#include "core/rate_limiter.hpp"

#include "base/invariant.hpp"

#include <algorithm>

namespace docmap::core {

namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

/// Rounded up: rounded down, a second would hold one attempt more than the limit.
std::chrono::nanoseconds interval_of(std::uint32_t per_second) {
    base::require(per_second > 0, "a rate limit lets something through");
    return std::chrono::nanoseconds{(nanoseconds_per_second + per_second - 1) / per_second};
}

} // namespace

RateLimiter::RateLimiter(std::uint32_t per_second, base::SteadyTime now)
    : interval_(interval_of(per_second)), burst_(interval_ * (std::max(per_second / 10, 1U) - 1)),
      next_(now) {}

base::SteadyTime RateLimiter::next_start(base::SteadyTime now) const {
    return std::max(now, next_);
}

void RateLimiter::take(base::SteadyTime now) {
    base::require(permits(now), "a rate limit is asked before an attempt begins");
    next_ = std::max(next_, now - burst_) + interval_;
}

} // namespace docmap::core
