// At most so many attempts per second: a token bucket that starts with one token and holds at most a tenth of
// a second's worth (at least one), so that no second sees more than the limit and that tenth. Pure; lives
// with its endpoint's gate.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstdint>

namespace docmap::core {

class RateLimiter {
  public:
    /// `per_second` is at least 1.
    RateLimiter(std::uint32_t per_second, base::SteadyTime now);

    /// Whether an attempt may begin.
    bool permits(base::SteadyTime now) const { return now >= next_start(now); }

    /// When the next attempt may begin; `now` where one may already.
    base::SteadyTime next_start(base::SteadyTime now) const;

    /// An attempt begins. Only where permits(now).
    void take(base::SteadyTime now);

  private:
    std::chrono::nanoseconds interval_; ///< between two attempts
    std::chrono::nanoseconds burst_;    ///< how far the next attempt's time may lie back
    base::SteadyTime next_;             ///< when the next attempt would begin at an even pace
};

} // namespace docmap::core
