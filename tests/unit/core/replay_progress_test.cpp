#include "core/replay_progress.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;

TEST(ReplayProgress, IsALineWithItsSpeedAndTheTimeThatIsLeft) {
    EXPECT_EQ(progress_line({5000, 10000, 1234567, 0, 2000ms}),
              "50 %  5,000 of 10,000 records  1,234,567 queued  2,500/s  2 s left");
    EXPECT_EQ(progress_line({999, 1000, 0, 0, 100ms}), "99 %  999 of 1,000 records  0 queued")
        << "too early for a speed, and not yet all";
    EXPECT_EQ(progress_line({1000, 1000, 0, 0, 1000ms}), "100 %  1,000 of 1,000 records  0 queued  1,000/s");
    EXPECT_EQ(progress_line({0, 0, 0, 0, 0ms}), "100 %  0 of 0 records  0 queued");
}

TEST(ReplayProgress, CountsOnlyThisRunForItsSpeed) {
    EXPECT_EQ(progress_line({6000, 10000, 0, 5000, 1000ms}),
              "60 %  6,000 of 10,000 records  0 queued  1,000/s  4 s left");
    EXPECT_EQ(progress_line({5000, 10000, 0, 5000, 9000ms}), "50 %  5,000 of 10,000 records  0 queued");
}

TEST(ReplayProgress, TellsLongTimesInLargerUnits) {
    EXPECT_NE(progress_line({1, 121, 0, 0, 1000ms}).find("2 min left"), std::string::npos);
    EXPECT_NE(progress_line({1, 7202, 0, 0, 1000ms}).find("3 h left"), std::string::npos);
}

TEST(ReplayProgress, IsABarAsWideAsThereIsRoomFor) {
    EXPECT_EQ(progress_bar({50, 100, 0, 0, 0ms}, 200),
              "[###############---------------] 50 %  50 of 100 records  0 queued");
    EXPECT_EQ(progress_bar({50, 100, 0, 0, 0ms}, 81), "[######------] 50 %  50 of 100 records  0 queued")
        << "with room for a speed";
    EXPECT_EQ(progress_bar({50, 100, 0, 0, 0ms}, 20), "[#####-----] 50 %  5");
    EXPECT_EQ(progress_bar({0, 0, 0, 0, 0ms}, 200).substr(0, 32), "[" + std::string(30, '#') + "]");
}

} // namespace
} // namespace docmap::core
