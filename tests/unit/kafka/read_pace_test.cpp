#include "kafka/read_pace.hpp"

#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

using namespace std::chrono_literals;

/// Reads so many records at this interval for a second. Returns the last answer.
std::chrono::milliseconds pace_at(ReadPace& pace, std::chrono::microseconds interval,
                                  std::size_t records = 1) {
    static base::SteadyTime now{1h};
    std::chrono::milliseconds last{0};
    for (std::chrono::microseconds passed{0}; passed < 1s; passed += interval)
        last = pace.after_read(records, now += interval);
    return last;
}

TEST(ReadPace, SlowRecordsDoNotWait) {
    ReadPace pace(4ms);
    EXPECT_EQ(pace_at(pace, 100ms), 0ms);
    EXPECT_EQ(pace_at(pace, 1ms), 0ms);
}

TEST(ReadPace, FastRecordsGather) {
    ReadPace pace(4ms);
    EXPECT_EQ(pace_at(pace, 200us), 4ms);
}

TEST(ReadPace, RecordsReadManyAtATimeAreAsFast) {
    ReadPace pace(4ms);
    EXPECT_EQ(pace_at(pace, 4ms, 20), 4ms);
}

TEST(ReadPace, AfterARushSlowRecordsSoonDoNotWait) {
    ReadPace pace(4ms);
    pace_at(pace, 200us);
    EXPECT_EQ(pace_at(pace, 5ms), 0ms);
}

TEST(ReadPace, WithoutALingerNothingWaits) {
    ReadPace pace(0ms);
    EXPECT_EQ(pace_at(pace, 10us), 0ms);
}

TEST(ReadPace, AReadOfNothingIsFollowedByTheNextAtOnce) {
    ReadPace pace(4ms);
    base::SteadyTime now{1h};
    EXPECT_EQ(pace.after_read(1000, now), 4ms);
    EXPECT_EQ(pace.after_read(0, now), 0ms);
}

} // namespace
} // namespace docmap::kafka
