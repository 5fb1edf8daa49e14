#include "core/failure_streak.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds limit = 120h;
const base::SystemTime start = base::parse_iso8601("2025-01-15T10:00:00Z").value();

StreakVerdict judge_until(base::SystemTime last_failed_at,
                          std::optional<base::SystemTime> last_success_at = std::nullopt) {
    return judge_streak({start, last_failed_at, last_success_at}, limit);
}

TEST(FailureStreak, DeactivatesAfterTheLimit) {
    EXPECT_EQ(judge_until(start), StreakVerdict::goes_on);
    EXPECT_EQ(judge_until(start + limit - 1ms), StreakVerdict::goes_on);
    EXPECT_EQ(judge_until(start + limit), StreakVerdict::deactivate);
    EXPECT_EQ(judge_until(start + limit + 1h), StreakVerdict::deactivate);
}

TEST(FailureStreak, IsForgivenByASuccessSinceItBegan) {
    EXPECT_EQ(judge_until(start + limit, start + 1ms), StreakVerdict::forgiven);
    EXPECT_EQ(judge_until(start + limit, start + limit + 1h), StreakVerdict::forgiven);
    EXPECT_EQ(judge_until(start + 1h, start + 2h), StreakVerdict::forgiven);
    EXPECT_EQ(judge_until(start + limit, start), StreakVerdict::forgiven) << "begun in the same millisecond";
}

TEST(FailureStreak, IsNotForgivenByASuccessBeforeIt) {
    EXPECT_EQ(judge_until(start + limit, start - 1ms), StreakVerdict::deactivate);
    EXPECT_EQ(judge_until(start + limit - 1ms, start - 1ms), StreakVerdict::goes_on);
    EXPECT_EQ(judge_until(start + limit, base::SystemTime{}), StreakVerdict::deactivate);
}

TEST(FailureStreak, GoesOnWhereAClockWentBack) {
    EXPECT_EQ(judge_until(start - 1h), StreakVerdict::goes_on);
}

} // namespace
} // namespace docmap::core
