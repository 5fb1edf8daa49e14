#include "core/failure_streak.hpp"

namespace docmap::core {

StreakVerdict judge_streak(const FailureStreak& streak, std::chrono::milliseconds limit) {
    if (streak.last_success_at && *streak.last_success_at >= streak.failing_since)
        return StreakVerdict::forgiven;
    return streak.last_failed_at - streak.failing_since >= limit ? StreakVerdict::deactivate
                                                                 : StreakVerdict::goes_on;
}

} // namespace docmap::core
