#include "core/circuit_breaker.hpp"

#include <algorithm>
#include <limits>

namespace docmap::core {

std::optional<std::chrono::milliseconds> pause_after(std::uint32_t failures,
                                                     const BreakerSettings& settings) {
    if (failures < settings.failures) return std::nullopt;
    std::chrono::milliseconds pause = std::min(settings.pause, settings.max_pause);
    // No pause is so short that 63 doublings do not bring it to the longest one.
    for (std::uint32_t left = std::min(failures - settings.failures, 63U); left > 0; --left) {
        if (pause > settings.max_pause / 2) return settings.max_pause;
        pause *= 2;
    }
    return pause;
}

void CircuitBreaker::on_success() {
    failures_ = 0;
    open_until_.reset();
}

void CircuitBreaker::on_failure(base::SteadyTime started, base::SteadyTime now) {
    if (open_until_ && started <= opened_) return;
    if (failures_ < std::numeric_limits<std::uint32_t>::max()) ++failures_;
    const auto pause = pause_after(failures_, settings_);
    if (!pause) return;
    opened_ = now;
    open_until_ = now + *pause;
}

} // namespace docmap::core
