// librdkafka asks for the pause, on the connection that fetches.
#include "broker_client.hpp"
#include "kafka/fetch_pace.hpp"
#include "subject.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>

namespace docmap::kafka::test {
namespace {

using namespace std::chrono_literals;

/// A consumer of one partition, without a group.
class PacedConsumer {
  public:
    PacedConsumer(const std::string& brokers, const std::string& topic, FetchPace& pace) {
        rd_kafka_conf_t* configuration = rd_kafka_conf_new();
        std::array<char, 512> why{};
        for (const auto& [name, value] : {std::pair{"bootstrap.servers", brokers.c_str()},
                                          {"group.id", "paced"},
                                          {"auto.offset.reset", "earliest"},
                                          {"enable.auto.commit", "false"}})
            rd_kafka_conf_set(configuration, name, value, why.data(), why.size());
        pace.attach(*configuration);
        client_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, configuration, why.data(), why.size()));
        const PartitionListPtr partitions = make_partition_list(1);
        rd_kafka_topic_partition_list_add(partitions.get(), topic.c_str(), 0)->offset = 0;
        rd_kafka_assign(client_.get(), partitions.get());
    }

    /// Waits for the next record; false: it did not come.
    bool next() {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (std::chrono::steady_clock::now() < deadline) {
            const MessagePtr message(rd_kafka_consumer_poll(client_.get(), 100));
            if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
        }
        return false;
    }

  private:
    ClientPtr client_;
};

TEST(FetchPaceTest, ARecordGathersForThePauseAndNoneIsLost) {
    const char* brokers = std::getenv("DOCMAP_TEST_KAFKA_BROKERS");
    ASSERT_NE(brokers, nullptr) << "DOCMAP_TEST_KAFKA_BROKERS is not set: run this test with tests/run";
    BrokerClient client(brokers);
    const std::string topic = client.create_topic(1);
    FetchPace pace;
    PacedConsumer consumer(brokers, topic, pace);
    client.produce_numbers(topic, 1);
    ASSERT_TRUE(consumer.next());

    constexpr auto pause = 300ms;
    pace.set(pause);
    for (int number = 1; number <= 3; ++number) {
        const auto start = std::chrono::steady_clock::now();
        client.produce_numbers(topic, 1, number);
        ASSERT_TRUE(consumer.next());
        EXPECT_GE(std::chrono::steady_clock::now() - start, pause);
    }
    client.produce_numbers(topic, 100, 4);
    for (int number = 0; number < 100; ++number)
        ASSERT_TRUE(consumer.next());
}

} // namespace
} // namespace docmap::kafka::test
