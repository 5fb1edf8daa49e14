// Single records written to the broker of this run.
#include "kafka/range_reader.hpp"
#include "kafka/record_producer.hpp"
#include "subject.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace docmap::kafka::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(RecordProducerTest, WritesKeyAndValueAndReturnsTheOffset) {
    const char* brokers = std::getenv("DOCMAP_TEST_KAFKA_BROKERS");
    ASSERT_NE(brokers, nullptr) << "DOCMAP_TEST_KAFKA_BROKERS is not set: run this test with tests/run";
    BrokerClient client(brokers);
    const std::string topic = client.create_topic(2);
    const config::Kafka config = quick_config(brokers, topic);
    const auto producer = RecordProducer::open(config, 10s).value();
    EXPECT_EQ(producer->write({topic, 1, "key", std::string_view("a\0b", 3)}).value(), 0);
    EXPECT_EQ(producer->write({topic, 1, std::nullopt, std::nullopt}).value(), 1);
    EXPECT_EQ(producer->write({topic, 1, "", ""}).value(), 2);

    const auto reader = RangeReader::open(config).value();
    ASSERT_TRUE(reader->start({{topic, 1, 0, 3}}, std::nullopt));
    std::vector<core::RecordPtr> records;
    EXPECT_TRUE(eventually([&] {
        for (const core::RecordPtr& record : reader->read(10, 1 << 20, 100ms).value())
            records.push_back(record);
        return reader->finished();
    }));
    ASSERT_EQ(records.size(), 3u);
    EXPECT_EQ(records[0]->value(), std::string_view("a\0b", 3));
    EXPECT_EQ(records[0]->key(), "key");
    EXPECT_EQ(records[1]->value(), std::nullopt);
    EXPECT_EQ(records[1]->key(), std::nullopt);
    EXPECT_EQ(records[2]->value(), "");
    EXPECT_EQ(records[2]->key(), "");

    const auto refused = producer->write({topic, 999, std::nullopt, "x"});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("nknown partition"));
    EXPECT_EQ(producer->write({topic, 0, std::nullopt, "x"}).value(), 0) << "and goes on";
}

TEST(RecordProducerFault, ReportsWhatTheBrokerDidNotTakeInTime) {
    MockCluster cluster;
    cluster.create_topic("topic", 1);
    const config::Kafka config = quick_config(cluster.brokers(), "topic");
    const auto producer = RecordProducer::open(config, 1s).value();
    cluster.go_down();
    const auto started = std::chrono::steady_clock::now();
    const auto refused = producer->write({"topic", 0, std::nullopt, "x"});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("imed out"));
    EXPECT_LT(std::chrono::steady_clock::now() - started, 10s);
}

} // namespace
} // namespace docmap::kafka::test
