// The consumer against a mock cluster in this process, which fails on request.
#include "subject.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::kafka::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

class KafkaFaults : public testing::Test {
  protected:
    KafkaFaults() : client_(cluster_.brokers()) { cluster_.create_topic(topic_, 2); }

    config::Kafka config() const { return quick_config(cluster_.brokers(), topic_); }

    MockCluster cluster_;
    BrokerClient client_;
    const std::string topic_ = "events";
};

/// Each failed commit is made up for by the next one.
class KafkaCommitErrors : public KafkaFaults, public testing::WithParamInterface<rd_kafka_resp_err_t> {};

TEST_P(KafkaCommitErrors, AreRepeatedAtTheNextInterval) {
    client_.produce_numbers(topic_, 5);
    Subject subject(config());
    subject.sink.settle_at_once();
    cluster_.fail_next(offset_commit_request, {GetParam()});
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(5)) << subject.problem();
    EXPECT_TRUE(eventually([&] { return client_.committed(subject.group(), topic_) == 5; }));
    // An expelled member reads again what it had not committed.
    client_.produce_numbers(topic_, 5, 5);
    EXPECT_TRUE(eventually([&] { return client_.committed(subject.group(), topic_) == 10; }));
    EXPECT_THAT(subject.sink.violations(), IsEmpty());
}

std::string name_of(const testing::TestParamInfo<rd_kafka_resp_err_t>& test) {
    if (test.param == RD_KAFKA_RESP_ERR__TRANSPORT) return "Disconnect";
    return "Error" + std::to_string(test.param);
}

INSTANTIATE_TEST_SUITE_P(, KafkaCommitErrors,
                         testing::Values(RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                         RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
                                         RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
                                         RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
                                         RD_KAFKA_RESP_ERR__TRANSPORT),
                         name_of);

TEST_F(KafkaFaults, WaitsForABrokerThatIsAwayAtTheStart) {
    cluster_.go_down();
    Subject subject(config());
    subject.start();
    EXPECT_TRUE(subject.wait_for_problem("Connection refused")) << subject.problem();
    EXPECT_FALSE(subject.health.ready());
    cluster_.come_up();
    client_.produce_numbers(topic_, 1);
    EXPECT_TRUE(subject.sink.wait_for_records(1)) << subject.problem();
    EXPECT_TRUE(subject.wait_until_ready()) << subject.problem();
}

TEST_F(KafkaFaults, SaysWhyWhileTheBrokersAreDownAndGoesOnAfterwards) {
    client_.produce_numbers(topic_, 3);
    Subject subject(config());
    subject.sink.settle_at_once();
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(3));
    ASSERT_TRUE(subject.wait_until_ready());
    cluster_.go_down();
    EXPECT_TRUE(subject.wait_for_problem("all brokers are down: ")) << subject.problem();
    cluster_.come_up();
    EXPECT_TRUE(subject.wait_until_ready()) << subject.problem();
    client_.produce_numbers(topic_, 3, 3);
    EXPECT_TRUE(eventually([&] { return client_.committed(subject.group(), topic_) == 6; }));
    EXPECT_THAT(subject.sink.violations(), IsEmpty());
}

TEST_F(KafkaFaults, NeverGuessesWhereToStart) {
    const config::Kafka group = config();
    client_.produce_numbers(topic_, 10);
    client_.commit(group.group_id, topic_, 0, 7);
    cluster_.fail_next(offset_fetch_request,
                       std::vector<rd_kafka_resp_err_t>(8, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED));
    Subject subject(group);
    subject.start();
    EXPECT_TRUE(subject.wait_for_problem("the committed offsets cannot be read")) << subject.problem();
    EXPECT_THAT(subject.sink.assignments(), IsEmpty());
    ASSERT_TRUE(subject.sink.wait_for_records(3)) << subject.problem();
    EXPECT_EQ(subject.sink.records().front()->offset(), 7);
    EXPECT_TRUE(subject.wait_until_ready());
}

TEST_F(KafkaFaults, ClosesInTimeWhileItsStartIsUnknown) {
    for (const char* strategy : {"range", "cooperative-sticky"}) {
        cluster_.fail_next(offset_fetch_request, std::vector<rd_kafka_resp_err_t>(
                                                     1000, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED));
        config::Kafka group = config();
        group.properties.emplace_back("partition.assignment.strategy", strategy);
        Subject subject(group);
        subject.start();
        EXPECT_TRUE(subject.wait_for_problem("the committed offsets cannot be read")) << subject.problem();
        EXPECT_TRUE(subject.close(5s)) << strategy;
        cluster_.stop_failing(offset_fetch_request);
    }
}

TEST_F(KafkaFaults, ClosesInTimeWithTheBrokersDown) {
    client_.produce_numbers(topic_, 3);
    Subject subject(config());
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(3));
    cluster_.go_down();
    ASSERT_TRUE(subject.wait_for_problem("all brokers are down"));
    for (const core::RecordPtr& record : subject.sink.records())
        subject.sink.settle(record);
    EXPECT_TRUE(subject.close(6s));
    EXPECT_EQ(subject.sink.live_assignments(), 0u);
}

TEST_F(KafkaFaults, ClosesInTimeWhileNoBrokerWasEverReached) {
    cluster_.go_down();
    Subject subject(config());
    subject.start();
    EXPECT_TRUE(subject.wait_for_problem("no broker of"));
    EXPECT_TRUE(subject.close(4s));
}

TEST_F(KafkaFaults, ClosesInTimeWhileJoining) {
    cluster_.fail_next(join_group_request, std::vector<rd_kafka_resp_err_t>(
                                               1000, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS));
    Subject subject(config());
    subject.start();
    EXPECT_TRUE(subject.wait_for_problem("joining the consumer group"));
    EXPECT_TRUE(subject.close(5s));
}

TEST_F(KafkaFaults, NamesATopicThatIsUnknown) {
    rd_kafka_mock_topic_set_error(cluster_.handle(), topic_.c_str(), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    Subject subject(config());
    subject.start();
    EXPECT_TRUE(subject.wait_for_problem("topic events: ")) << subject.problem();
    rd_kafka_mock_topic_set_error(cluster_.handle(), topic_.c_str(), RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_TRUE(subject.wait_until_ready()) << subject.problem();
}

TEST_F(KafkaFaults, AFencedInstanceIsFatal) {
    config::Kafka group = config();
    group.properties.emplace_back("group.instance.id", "one");
    Subject subject(group);
    subject.start();
    ASSERT_TRUE(subject.wait_until_ready());
    cluster_.fail_next(heartbeat_request, {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID});
    EXPECT_TRUE(eventually([&] { return !subject.fatal().empty(); }));
    EXPECT_THAT(subject.fatal(), HasSubstr("the Kafka consumer cannot go on"));
    EXPECT_TRUE(subject.wait_for_problem("the Kafka consumer cannot go on"));
    EXPECT_TRUE(subject.close(5s));
}

TEST_F(KafkaFaults, CommitsNothingForALostAssignment) {
    client_.produce_numbers(topic_, 5);
    Subject subject(config());
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(5));
    const auto records = subject.sink.records();
    cluster_.fail_next(heartbeat_request, {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID});
    ASSERT_TRUE(subject.sink.wait_for_revocations(2));
    for (const core::RecordPtr& record : records)
        subject.sink.settle(record);
    // The same records come again under a new assignment; what the old one settles counts for nothing.
    ASSERT_TRUE(subject.sink.wait_for_records(10)) << subject.problem();
    EXPECT_NE(subject.sink.records()[5]->assignment(), records[0]->assignment());
    EXPECT_EQ(subject.sink.records()[5]->offset(), 0);
    subject.sink.settle(subject.sink.records()[5]);
    EXPECT_TRUE(eventually([&] { return client_.committed(subject.group(), topic_) == 1; }));
    EXPECT_THAT(subject.sink.violations(), IsEmpty());
}

TEST_F(KafkaFaults, AFetchErrorIsOvercome) {
    client_.produce_numbers(topic_, 5);
    cluster_.fail_next(fetch_request, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                       RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_UNKNOWN});
    Subject subject(config());
    subject.start();
    EXPECT_TRUE(subject.sink.wait_for_records(5)) << subject.problem();
}

TEST_F(KafkaFaults, TheDestructorStopsAConsumerThatNobodyClosed) {
    boost::asio::io_context control(1);
    RecordingSink sink;
    base::HealthBoard health;
    base::Metrics metrics;
    {
        Consumer consumer(config(), control.get_executor(), sink, health, metrics, [](const std::string&) {});
        ASSERT_TRUE(consumer.start().has_value());
    }
    EXPECT_FALSE(health.ready());
}

} // namespace
} // namespace docmap::kafka::test
