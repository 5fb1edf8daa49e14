#include "kafka/statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

constexpr base::SteadyTime now{1h};

TEST(Statistics, FindsWhetherABrokerAnswers) {
    EXPECT_TRUE(parse_statistics(R"({"brokers":{"a":{"state":"DOWN"},"b":{"state":"UP"}}})").broker_up);
    EXPECT_FALSE(parse_statistics(R"({"brokers":{"a":{"state":"DOWN"},"b":{"state":"CONNECT"}}})").broker_up);
    EXPECT_FALSE(parse_statistics(R"({"brokers":{}})").broker_up);
}

TEST(Statistics, FindsWhereFetchedPartitionsStand) {
    const Statistics statistics = parse_statistics(R"({"topics":{"t":{"partitions":{
        "2":{"partition":2,"fetch_state":"active","next_offset":7,"ls_offset":9,"fetchq_cnt":0},
        "3":{"partition":3,"fetch_state":"none","next_offset":-1,"ls_offset":-1,"fetchq_cnt":0},
        "4":{"partition":4,"fetch_state":"active","next_offset":1,"ls_offset":5,"fetchq_cnt":3}}}}})");
    ASSERT_THAT(statistics.partitions, SizeIs(2));
    EXPECT_EQ(statistics.partitions[0].topic, "t");
    EXPECT_EQ(statistics.partitions[0].partition, 2);
    EXPECT_EQ(statistics.partitions[0].next_offset, 7);
    EXPECT_EQ(statistics.partitions[0].end_offset, 9);
    EXPECT_TRUE(statistics.partitions[0].queue_empty);
    EXPECT_FALSE(statistics.partitions[1].queue_empty);
}

TEST(Statistics, AnotherShapeGivesNothing) {
    for (const char* text : {"", "[]", "{", "7", R"({"brokers":[],"topics":{"t":1}})",
                             R"({"topics":{"t":{"partitions":{"0":3}}}})"}) {
        EXPECT_FALSE(parse_statistics(text).broker_up) << text;
        EXPECT_THAT(parse_statistics(text).partitions, IsEmpty()) << text;
    }
}

TEST(ProgressWatch, ReportsAStandstillOnce) {
    ProgressWatch watch;
    const std::vector<PartitionProgress> stuck = {{"t", 1, 7, 9, true}};
    EXPECT_THAT(watch.observe(stuck, now), IsEmpty());
    EXPECT_THAT(watch.observe(stuck, now + 59s), IsEmpty());
    const auto reported = watch.observe(stuck, now + 60s);
    ASSERT_THAT(reported, SizeIs(1));
    EXPECT_EQ(reported[0].partition, 1);
    EXPECT_THAT(watch.observe(stuck, now + 120s), IsEmpty());
}

TEST(ProgressWatch, WhatMovesOrWaitsToBeReadIsNoStandstill) {
    ProgressWatch watch;
    watch.observe({{"t", 1, 7, 9, true}}, now);
    watch.observe({{"t", 1, 8, 9, true}}, now + 50s);
    EXPECT_THAT(watch.observe({{"t", 1, 8, 9, true}}, now + 70s), IsEmpty()) << "it moved 20 s ago";
    EXPECT_THAT(watch.observe({{"t", 1, 8, 9, false}}, now + 500s), IsEmpty()) << "held back by the budget";
    EXPECT_THAT(watch.observe({{"t", 1, 8, 9, true}}, now + 501s), IsEmpty()) << "begins anew";
    EXPECT_THAT(watch.observe({{"t", 1, 9, 9, true}}, now + 900s), IsEmpty()) << "at the end";
}

} // namespace
} // namespace docmap::kafka
