#include "kafka/membership_watch.hpp"

#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

using namespace std::chrono_literals;

constexpr base::SteadyTime start{1000s};

TEST(MembershipWatch, BelievesWhileTheThreadIsServed) {
    MembershipWatch watch(6s, 500ms);
    EXPECT_EQ(watch.served(start), start + 5s);
    EXPECT_EQ(watch.served(start + 1s), start + 6s);
    EXPECT_EQ(watch.served(start + 5999ms), start + 10999ms) << "the gap was within the session";
}

TEST(MembershipWatch, DoubtsAfterAGapUntilTwoHeartbeatsAreDue) {
    MembershipWatch watch(6s, 500ms);
    static_cast<void>(watch.served(start));
    const base::SteadyTime back = start + 20s;
    EXPECT_EQ(watch.served(back), std::nullopt);
    EXPECT_EQ(watch.served(back + 999ms), std::nullopt);
    EXPECT_EQ(watch.served(back + 1s), back + 6s);
}

TEST(MembershipWatch, AThreadThatWaitsNoLongerThanItMayIsBelievedAgain) {
    for (const auto session : {1000ms, 1500ms, 6000ms, 45000ms}) {
        MembershipWatch watch(session, session / 5);
        base::SteadyTime now = start;
        EXPECT_TRUE(watch.served(now));
        now += session * 2;
        EXPECT_FALSE(watch.served(now));
        EXPECT_TRUE(watch.in_doubt(now));
        for (int turn = 0; turn < 4; ++turn)
            static_cast<void>(watch.served(now += watch.longest_wait()));
        EXPECT_FALSE(watch.in_doubt(now)) << session.count();
        EXPECT_TRUE(watch.served(now += watch.longest_wait()));
    }
}

TEST(MembershipWatch, KeepsAThirdOfTheSessionWhereHeartbeatsAreRare) {
    MembershipWatch watch(3s, 1400ms);
    EXPECT_EQ(watch.served(start), start + 1s);
}

} // namespace
} // namespace docmap::kafka
