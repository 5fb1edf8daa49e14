#include "kafka/fetch_pace.hpp"

#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

using namespace std::chrono_literals;

constexpr std::int16_t fetch = 1;
constexpr std::int16_t heartbeat = 12;

TEST(FetchPace, NothingWaitsUntilItIsSet) {
    const FetchPace pace;
    EXPECT_EQ(pace.before_answer(fetch, 100), 0ms);
}

TEST(FetchPace, SmallAnswersToFetchesWait) {
    FetchPace pace;
    pace.set(4ms);
    EXPECT_EQ(pace.before_answer(fetch, 100), 4ms);
    EXPECT_EQ(pace.before_answer(heartbeat, 100), 0ms);
    pace.set(0ms);
    EXPECT_EQ(pace.before_answer(fetch, 100), 0ms);
}

TEST(FetchPace, LargeAnswersDoNotWait) {
    FetchPace pace;
    pace.set(4ms);
    EXPECT_EQ(pace.before_answer(fetch, 1 << 20), 0ms);
}

} // namespace
} // namespace docmap::kafka
