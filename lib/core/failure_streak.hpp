// Whether a webhook has done nothing but fail for so long that it is deactivated.
// Pure function, usable on any thread.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <optional>

namespace docmap::core {

/// What is stored of a webhook that has failed.
struct FailureStreak {
    base::SystemTime failing_since{};  ///< start of the first failed attempt that is not known to be forgiven
    base::SystemTime last_failed_at{}; ///< start of the newest failed attempt
    std::optional<base::SystemTime> last_success_at; ///< start of the newest successful attempt
};

enum class StreakVerdict {
    goes_on,    ///< too short to matter yet
    forgiven,   ///< an attempt succeeded since: the streak is over
    deactivate, ///< every attempt has failed for `limit`
};

/// A success forgives every failure that did not begin after it. A webhook that gets no events is not
/// deactivated for that: the streak is as long as from its first failure to its last.
StreakVerdict judge_streak(const FailureStreak& streak, std::chrono::milliseconds limit);

} // namespace docmap::core
