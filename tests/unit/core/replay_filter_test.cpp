#include "core/replay_filter.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

TEST(ReplayFilter, KnowsNothingBeforeItsFirstPage) {
    const ReplayFilter filter(100);
    EXPECT_FALSE(filter.covers(100));
    EXPECT_EQ(filter.next_page_offset(), 100);
    EXPECT_FALSE(filter.exhausted());
}

TEST(ReplayFilter, AShortPageIsTheLast) {
    ReplayFilter filter(100);
    ASSERT_TRUE(
        filter.add_page({{101, "webhook-a", 1}, {101, "webhook-b", 1}, {105, "webhook-a", 2}}, false));
    EXPECT_TRUE(filter.covers(1000000));
    EXPECT_TRUE(filter.take(100).empty());
    const auto rows = filter.take(101);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].webhook_id, "webhook-a");
    EXPECT_EQ(rows[1].webhook_id, "webhook-b");
    EXPECT_FALSE(filter.exhausted());
    EXPECT_EQ(filter.take(105).size(), 1U);
    EXPECT_TRUE(filter.exhausted());
}

TEST(ReplayFilter, AnEmptyPageEndsIt) {
    ReplayFilter filter(0);
    ASSERT_TRUE(filter.add_page({}, false));
    EXPECT_TRUE(filter.exhausted());
}

TEST(ReplayFilter, AFullPageCoversAllButItsLastOffset) {
    ReplayFilter filter(0);
    ASSERT_TRUE(filter.add_page({{1, "a", 1}, {2, "a", 1}, {3, "a", 1}}, true));
    EXPECT_TRUE(filter.covers(2));
    EXPECT_FALSE(filter.covers(3));
    EXPECT_EQ(filter.next_page_offset(), 3);
    EXPECT_EQ(filter.take(2).size(), 1U);
    ASSERT_TRUE(filter.add_page({{3, "a", 1}, {3, "b", 1}}, false));
    EXPECT_EQ(filter.take(3).size(), 2U);
    EXPECT_TRUE(filter.exhausted());
}

TEST(ReplayFilter, APageOfOneOffsetAloneHasToBeLarger) {
    ReplayFilter filter(0);
    EXPECT_FALSE(filter.add_page({{1, "a", 1}, {1, "b", 1}}, true));
    EXPECT_EQ(filter.next_page_offset(), 0);
    EXPECT_FALSE(filter.covers(0));
}

TEST(ReplayFilter, SkipsRowsOfOffsetsThatDoNotComeAgain) {
    ReplayFilter filter(0);
    ASSERT_TRUE(filter.add_page({{1, "a", 1}, {2, "a", 1}, {9, "a", 1}}, false));
    EXPECT_TRUE(filter.take(5).empty());
    EXPECT_EQ(filter.take(9).size(), 1U);
}

TEST(ReplayFilterDeathTest, RefusesAnOffsetItDoesNotCover) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ReplayFilter filter(0);
    EXPECT_DEATH(filter.take(0), "waits for its page");
}

} // namespace
} // namespace docmap::core
