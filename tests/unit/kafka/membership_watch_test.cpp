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

TEST(MembershipWatch, KeepsAThirdOfTheSessionWhereHeartbeatsAreRare) {
    MembershipWatch watch(3s, 1400ms);
    EXPECT_EQ(watch.served(start), start + 1s);
}

} // namespace
} // namespace docmap::kafka
