// The consumer against the broker of this run, whichever it is.
#include "kafka/reachable.hpp"
#include "subject.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

namespace docmap::kafka::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class KafkaConsumer : public testing::Test {
  protected:
    void SetUp() override {
        const char* brokers = std::getenv("DOCMAP_TEST_KAFKA_BROKERS");
        ASSERT_NE(brokers, nullptr) << "DOCMAP_TEST_KAFKA_BROKERS is not set: run this test with tests/run";
        brokers_ = brokers;
        client_ = std::make_unique<BrokerClient>(brokers_);
    }

    config::Kafka config(const std::string& topic) const { return quick_config(brokers_, topic); }

    /// librdkafka's mock cluster speaks a version of the protocol that cannot forbid it.
    static bool makes_unknown_topics() {
        const char* kind = std::getenv("DOCMAP_TEST_BROKER");
        return kind == nullptr || std::string(kind) != "kafka";
    }

    std::string brokers_;
    std::unique_ptr<BrokerClient> client_;
};

std::vector<std::string> numbers(int count, int first = 0) {
    std::vector<std::string> texts;
    for (int number = first; number < first + count; ++number)
        texts.push_back(std::to_string(number));
    return texts;
}

TEST_F(KafkaConsumer, HandsRecordsOverInOrderWithAllTheirFields) {
    const std::string topic = client_->create_topic(2);
    client_->produce(
        topic, {{"first", 0, "user-1", {{"traceparent", "old"}, {"traceparent", "00-1"}}, 1737383403512},
                {std::nullopt, 0, std::nullopt, {{"tracestate", std::string(513, 'x')}}},
                {"", 0, "", {{"tracestate", std::string(512, 'y')}, {"other", "z"}}}});
    Subject subject(config(topic));
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(3)) << subject.problem();
    const auto records = subject.sink.records();
    EXPECT_EQ(records[0]->topic(), topic);
    EXPECT_EQ(records[0]->partition(), 0);
    EXPECT_EQ(records[0]->offset(), 0);
    EXPECT_EQ(records[0]->sequence(), 0u);
    EXPECT_EQ(records[0]->value(), "first");
    EXPECT_EQ(records[0]->key(), "user-1");
    EXPECT_EQ(records[0]->traceparent(), "00-1") << "the last one wins";
    EXPECT_EQ(records[0]->timestamp(), base::SystemTime{1737383403512ms});
    EXPECT_EQ(records[1]->value(), std::nullopt);
    EXPECT_EQ(records[1]->key(), std::nullopt);
    EXPECT_EQ(records[1]->tracestate(), "") << "too long";
    EXPECT_EQ(records[1]->offset(), 1);
    EXPECT_EQ(records[2]->value(), "");
    EXPECT_EQ(records[2]->key(), "");
    EXPECT_EQ(records[2]->tracestate(), std::string(512, 'y'));
    EXPECT_GT(records[2]->timestamp(), base::system_now() - 60s);
    EXPECT_THAT(subject.sink.violations(), IsEmpty());
    EXPECT_TRUE(subject.health.ready());
}

TEST_F(KafkaConsumer, ReadsEveryPartition) {
    const std::string topic = client_->create_topic(3);
    for (int partition = 0; partition < 3; ++partition)
        client_->produce_numbers(topic, 700, 1000 * partition, partition);
    Subject subject(config(topic));
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(2100));
    const auto values = subject.sink.values();
    EXPECT_EQ(std::set<std::string>(values.begin(), values.end()).size(), 2100u);
    EXPECT_THAT(subject.sink.violations(), IsEmpty());
}

TEST_F(KafkaConsumer, HandsOverNoMoreThanGrantedAndStaysAMember) {
    const std::string topic = client_->create_topic(1);
    client_->produce_numbers(topic, 10000);
    Subject subject(config(topic));
    subject.consumer.grant(100, 1 << 20);
    ASSERT_TRUE(subject.consumer.start().has_value());
    ASSERT_TRUE(subject.sink.wait_for_records(100));
    // Longer than the session timeout, so that a member that does not poll would be expelled.
    EXPECT_FALSE(subject.sink.wait_for_records(101, 4s));
    EXPECT_EQ(subject.sink.revocations(), 0u);
    subject.consumer.grant(50, 1 << 20);
    ASSERT_TRUE(subject.sink.wait_for_records(150));
    const auto granted = std::chrono::steady_clock::now();
    subject.consumer.grant(1 << 20, 1 << 30);
    ASSERT_TRUE(subject.sink.wait_for_records(10000));
    EXPECT_LT(std::chrono::steady_clock::now() - granted, 5s);
    EXPECT_EQ(subject.sink.values(), numbers(10000));
    EXPECT_THAT(subject.sink.violations(), IsEmpty());
    EXPECT_EQ(subject.sink.revocations(), 0u);
}

TEST_F(KafkaConsumer, BytesHoldRecordsBackToo) {
    const std::string topic = client_->create_topic(1);
    client_->produce(topic, std::vector<Message>(40, Message{std::string(100000, 'x')}));
    Subject subject(config(topic));
    subject.consumer.grant(1000, 350000);
    ASSERT_TRUE(subject.consumer.start().has_value());
    ASSERT_TRUE(subject.sink.wait_for_records(4));
    EXPECT_FALSE(subject.sink.wait_for_records(8, 500ms)) << "one batch may exceed the bytes";
    subject.consumer.grant(0, 100000000);
    ASSERT_TRUE(subject.sink.wait_for_records(40));
}

TEST_F(KafkaConsumer, CommitsTheSettledPrefixAndResumesBehindIt) {
    const std::string topic = client_->create_topic(1);
    client_->produce_numbers(topic, 10);
    const config::Kafka group = config(topic);
    {
        Subject subject(group);
        subject.start();
        ASSERT_TRUE(subject.sink.wait_for_records(10));
        const auto records = subject.sink.records();
        for (const int settled : {0, 1, 2, 4, 5, 9})
            subject.sink.settle(records[static_cast<std::size_t>(settled)]);
        EXPECT_TRUE(eventually([&] { return client_->committed(group.group_id, topic) == 3; }));
        EXPECT_TRUE(eventually([&] { return subject.commits() >= 1; }));
        subject.sink.settle(records[3]);
        ASSERT_TRUE(subject.close());
        EXPECT_EQ(client_->committed(group.group_id, topic), 6) << "committed at the close";
        EXPECT_EQ(subject.sink.live_assignments(), 0u);
    }
    Subject next(group);
    next.sink.settle_at_once();
    next.start();
    ASSERT_TRUE(next.sink.wait_for_records(4));
    EXPECT_EQ(next.sink.values(), numbers(4, 6));
    EXPECT_EQ(next.sink.assignments()[0]->first_offset() % 6, 0);
    EXPECT_THAT(next.sink.violations(), IsEmpty());
    ASSERT_TRUE(next.close());
    EXPECT_EQ(client_->committed(group.group_id, topic), 10) << "at the end of the log";
}

TEST_F(KafkaConsumer, ReadsNothingAfterIntakeStoppedButStillCommits) {
    const std::string topic = client_->create_topic(1);
    client_->produce_numbers(topic, 3);
    const config::Kafka group = config(topic);
    Subject subject(group);
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(3));
    subject.consumer.stop_intake();
    client_->produce_numbers(topic, 3, 3);
    for (const core::RecordPtr& record : subject.sink.records())
        subject.sink.settle(record);
    EXPECT_TRUE(eventually([&] { return client_->committed(group.group_id, topic) == 3; }));
    EXPECT_EQ(subject.sink.record_count(), 3u);
}

TEST_F(KafkaConsumer, AnEmptyTopicIsReadyAndCommitsNothing) {
    const std::string topic = client_->create_topic(1);
    const config::Kafka group = config(topic);
    Subject subject(group);
    subject.start();
    ASSERT_TRUE(subject.wait_until_ready()) << subject.problem();
    EXPECT_GE(subject.sink.assignments().size(), 1u);
    ASSERT_TRUE(subject.close());
    EXPECT_EQ(client_->committed(group.group_id, topic), -1);
}

TEST_F(KafkaConsumer, StartsAtTheEndWhereConfigured) {
    const std::string topic = client_->create_topic(1);
    client_->produce_numbers(topic, 5);
    config::Kafka group = config(topic);
    group.start_from = "latest";
    {
        Subject subject(group);
        subject.start();
        ASSERT_TRUE(subject.wait_until_ready());
        // The end itself is committed: what comes while no member runs is not skipped.
        EXPECT_TRUE(eventually([&] { return client_->committed(group.group_id, topic) == 5; }));
    }
    client_->produce_numbers(topic, 2, 5);
    Subject subject(group);
    subject.start();
    ASSERT_TRUE(subject.sink.wait_for_records(2));
    EXPECT_EQ(subject.sink.values(), numbers(2, 5));
}

TEST_F(KafkaConsumer, HoldsAPartitionWhoseOffsetIsOutOfRange) {
    const std::string topic = client_->create_topic(2);
    client_->produce_numbers(topic, 5);
    const config::Kafka group = config(topic);
    client_->commit(group.group_id, topic, 0, 1000);
    Subject subject(group);
    subject.start();
    EXPECT_TRUE(
        subject.wait_for_problem("partition 0 is held back: offset 1000 is out of range (valid: 0 to 5)"))
        << subject.problem();
    client_->produce_numbers(topic, 3, 0, 1);
    EXPECT_TRUE(subject.sink.wait_for_records(3)) << "other partitions go on";
    EXPECT_FALSE(subject.health.ready());
    for (const core::RecordPtr& record : subject.sink.records())
        EXPECT_EQ(record->partition(), 1);
    ASSERT_TRUE(subject.close());
    EXPECT_EQ(client_->committed(group.group_id, topic), 1000) << "left as it was";
}

TEST_F(KafkaConsumer, WaitsForATopicThatDoesNotExist) {
    if (makes_unknown_topics()) GTEST_SKIP() << "the mock broker makes every topic that is asked for";
    const std::string topic = unique_name("late");
    Subject subject(config(topic));
    subject.start();
    EXPECT_TRUE(subject.wait_for_problem(topic)) << subject.problem();
    client_->create_topic(topic, 1);
    client_->produce_numbers(topic, 1);
    EXPECT_TRUE(subject.sink.wait_for_records(1)) << subject.problem();
    EXPECT_TRUE(subject.wait_until_ready()) << subject.problem();
}

TEST_F(KafkaConsumer, ClosesAtOnceWhileHeldBack) {
    const std::string topic = client_->create_topic(1);
    client_->produce_numbers(topic, 1000);
    Subject subject(config(topic));
    subject.consumer.grant(10, 1 << 20);
    ASSERT_TRUE(subject.consumer.start().has_value());
    ASSERT_TRUE(subject.sink.wait_for_records(10));
    EXPECT_TRUE(subject.close(4s));
    EXPECT_EQ(subject.sink.record_count(), 10u);
    EXPECT_EQ(subject.sink.live_assignments(), 0u);
}

TEST_F(KafkaConsumer, ClosesWhereItWasNeverStarted) {
    Subject subject(config("none"));
    EXPECT_TRUE(subject.close(1s));
}

TEST_F(KafkaConsumer, AWrongPropertyIsRefusedAtTheStart) {
    config::Kafka wrong = config("none");
    wrong.properties.emplace_back("no.such.property", "1");
    Subject subject(wrong);
    const auto started = subject.consumer.start();
    ASSERT_TRUE(started.has_error());
    EXPECT_THAT(started.error().message, HasSubstr("no.such.property"));
    EXPECT_TRUE(subject.close(1s));
}

TEST_F(KafkaConsumer, TheCheckNamesEachProblem) {
    const std::string topic = client_->create_topic(1);
    config::Kafka checked = config(topic);
    EXPECT_THAT(find_problems(checked, 10s), IsEmpty());
    checked.topics.push_back("no-such-topic");
    if (!makes_unknown_topics()) {
        EXPECT_THAT(
            find_problems(checked, 10s),
            testing::ElementsAre(
                "kafka.topics: \"no-such-topic\" does not exist; create it, or correct kafka.topics"));
    }
    checked.brokers = "127.0.0.1:1";
    EXPECT_THAT(find_problems(checked, 1s),
                testing::ElementsAre(
                    testing::AllOf(HasSubstr("kafka.brokers: no broker of \"127.0.0.1:1\" answers: "),
                                   HasSubstr("Connection refused"))));
    checked.properties = {{"no.such.property", "1"}};
    EXPECT_THAT(find_problems(checked, 1s), Contains(HasSubstr("no.such.property")));
}

} // namespace
} // namespace docmap::kafka::test
