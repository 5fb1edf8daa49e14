// Several members of one group, on the broker of this run.
#include "subject.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace docmap::kafka::test {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

constexpr int partitions = 4;

class KafkaRebalance : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        const char* brokers = std::getenv("DOCMAP_TEST_KAFKA_BROKERS");
        ASSERT_NE(brokers, nullptr) << "DOCMAP_TEST_KAFKA_BROKERS is not set: run this test with tests/run";
        client_ = std::make_unique<BrokerClient>(brokers);
        topic_ = client_->create_topic(partitions);
        config_ = quick_config(brokers, topic_);
        config_.properties.emplace_back("partition.assignment.strategy", GetParam());
    }

    /// librdkafka's mock cluster refuses commits while the group rebalances; Kafka takes them.
    static bool commits_at_revoke() {
        const char* kind = std::getenv("DOCMAP_TEST_BROKER");
        return kind != nullptr && std::string(kind) == "kafka";
    }

    bool cooperative() const { return std::string(GetParam()) == "cooperative-sticky"; }

    void produce(int count_per_partition, int first) {
        for (int partition = 0; partition < partitions; ++partition)
            client_->produce_numbers(topic_, count_per_partition, 1000 * partition + first, partition);
    }

    std::vector<std::int64_t> committed() {
        std::vector<std::int64_t> offsets;
        for (int partition = 0; partition < partitions; ++partition)
            offsets.push_back(client_->committed(config_.group_id, topic_, partition));
        return offsets;
    }

    static std::set<std::string> distinct(const std::vector<const Subject*>& members) {
        std::set<std::string> values;
        for (const Subject* member : members)
            for (std::string& value : member->sink.values())
                values.insert(std::move(value));
        return values;
    }

    std::unique_ptr<BrokerClient> client_;
    std::string topic_;
    config::Kafka config_;
};

TEST_P(KafkaRebalance, TwoMembersShareThePartitionsAndOneTakesOver) {
    Subject first(config_);
    first.sink.settle_at_once();
    first.start();
    ASSERT_TRUE(eventually([&] { return first.sink.live_assignments() == partitions; })) << first.problem();
    Subject second(config_);
    second.sink.settle_at_once();
    second.start();
    ASSERT_TRUE(eventually([&] {
        return first.sink.live_assignments() == 2 && second.sink.live_assignments() == 2;
    })) << first.sink.live_assignments();
    if (cooperative()) {
        EXPECT_EQ(first.sink.revocations(), 2u) << "what stays is not interrupted";
    }
    produce(50, 0);
    ASSERT_TRUE(eventually(
        [&] { return first.sink.record_count() + second.sink.record_count() >= 50 * partitions; }));
    EXPECT_EQ(distinct({&first, &second}).size(), 50u * partitions);
    EXPECT_EQ(first.sink.record_count(), 100u);

    ASSERT_TRUE(first.close());
    ASSERT_TRUE(eventually([&] { return second.sink.live_assignments() == partitions; }));
    produce(50, 50);
    ASSERT_TRUE(eventually([&] { return second.sink.record_count() >= 300; }));
    EXPECT_TRUE(eventually([&] { return committed() == std::vector<std::int64_t>(partitions, 100); }));
    EXPECT_EQ(distinct({&first, &second}).size(), 100u * partitions);
    if (commits_at_revoke()) {
        EXPECT_EQ(first.sink.record_count() + second.sink.record_count(), 100u * partitions) << "none twice";
    }
    EXPECT_THAT(first.sink.violations(), IsEmpty());
    EXPECT_THAT(second.sink.violations(), IsEmpty());
}

TEST_P(KafkaRebalance, WhatIsSettledAfterTheRevocationIsNotCommitted) {
    produce(10, 0);
    Subject first(config_);
    first.start();
    ASSERT_TRUE(first.sink.wait_for_records(10 * partitions)) << first.problem();
    const std::vector<core::RecordPtr> held = first.sink.records();
    for (const core::RecordPtr& record : held)
        if (record->offset() < 3 || record->offset() == 5) first.sink.settle(record);
    if (!commits_at_revoke()) {
        ASSERT_TRUE(eventually([&] { return committed() == std::vector<std::int64_t>(partitions, 3); }));
    }

    // The second member reads what moves to it from the settled prefix on.
    Subject second(config_);
    second.start();
    ASSERT_TRUE(second.sink.wait_for_records(7 * partitions / 2)) << second.problem();
    for (const core::AssignmentPtr& assignment : second.sink.assignments())
        EXPECT_EQ(assignment->first_offset(), 3);
    for (const core::RecordPtr& record : held)
        if (record->offset() > 3 && record->offset() != 5) first.sink.settle(record);
    const std::vector<core::AssignmentPtr> moved = second.sink.assignments();
    for (const core::AssignmentPtr& assignment : moved)
        EXPECT_EQ(client_->committed(config_.group_id, topic_, assignment->partition()), 3);
    ASSERT_TRUE(first.close());
    for (const core::AssignmentPtr& assignment : moved)
        EXPECT_EQ(client_->committed(config_.group_id, topic_, assignment->partition()), 3)
            << "the first member's late settlements";
    EXPECT_THAT(first.sink.violations(), IsEmpty());
    EXPECT_THAT(second.sink.violations(), IsEmpty());
}

TEST_P(KafkaRebalance, AStormOfRebalancesLosesNothing) {
    if (std::string_view(GetParam()) == "cooperative-sticky" && rd_kafka_version() < 0x02030000)
        GTEST_SKIP()
            << "librdkafka before 2.3 aborts where a member leaves at the wrong moment (its issue 4312)";
    constexpr int per_round = 100;
    constexpr int rounds = 3;
    std::vector<std::unique_ptr<Subject>> members;
    const auto add_member = [&] {
        members.push_back(std::make_unique<Subject>(config_));
        members.back()->sink.settle_at_once();
        members.back()->start();
    };
    add_member();
    for (int round = 0; round < rounds; ++round) {
        produce(per_round, round * per_round);
        add_member();
        ASSERT_TRUE(members.back()->sink.wait_for_assignments(1)) << members.back()->problem();
        ASSERT_TRUE(members[static_cast<std::size_t>(round)]->close());
    }
    EXPECT_TRUE(
        eventually([&] { return committed() == std::vector<std::int64_t>(partitions, per_round * rounds); }));
    std::vector<const Subject*> all;
    for (const auto& member : members) {
        all.push_back(member.get());
        EXPECT_THAT(member->sink.violations(), IsEmpty());
    }
    EXPECT_EQ(distinct(all).size(), static_cast<std::size_t>(partitions * per_round * rounds));
}

std::string name_of(const testing::TestParamInfo<const char*>& test) {
    return std::string(test.param) == "range" ? "Range" : "CooperativeSticky";
}

INSTANTIATE_TEST_SUITE_P(, KafkaRebalance, testing::Values("range", "cooperative-sticky"), name_of);

} // namespace
} // namespace docmap::kafka::test
