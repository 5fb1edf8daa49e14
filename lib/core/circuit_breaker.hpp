// Keeps deliveries away from an endpoint that is down, and lets one through now and then to see whether it is
// back. Pure; lives with its endpoint's gate.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace docmap::core {

struct BreakerSettings {
    std::uint32_t failures = 5;                   ///< failures in a row that open the breaker, at least 1
    std::chrono::milliseconds pause{5000};        ///< until the first probe; doubles with each that fails …
    std::chrono::milliseconds max_pause{300'000}; ///< … up to this
};

/// How long to leave an endpoint alone after `failures` in a row; nothing below the settings' limit.
std::optional<std::chrono::milliseconds> pause_after(std::uint32_t failures, const BreakerSettings& settings);

/// Closed: attempts go on as usual. Open: the endpoint is left alone until the pause is over. Half open: the
/// pause is over, and one attempt tells whether the breaker closes or opens again, for twice as long.
class CircuitBreaker {
  public:
    explicit CircuitBreaker(const BreakerSettings& settings) : settings_(settings) {}

    /// An attempt has shown that the endpoint works: closes.
    void on_success();

    /// An attempt has failed because of the endpoint. Failures of attempts that did not begin after the
    /// breaker opened do not make the pause longer: they say nothing new.
    void on_failure(base::SteadyTime started, base::SteadyTime now);

    /// The end of the pause, also once it is over but the breaker is half open; nothing while closed.
    std::optional<base::SteadyTime> open_until() const { return open_until_; }

    /// Whether deliveries may go on as usual: closed, or the pause is over and nothing is known yet.
    bool lets_through(base::SteadyTime now) const { return !open_until_ || now >= *open_until_; }

  private:
    BreakerSettings settings_;
    std::uint32_t failures_ = 0;
    std::optional<base::SteadyTime> open_until_;
    base::SteadyTime opened_{};
};

} // namespace docmap::core
