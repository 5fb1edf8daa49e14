// Ranges read by the broker of this run, whichever it is.
#include "kafka/range_reader.hpp"
#include "subject.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

namespace docmap::kafka::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto timeout = 20s;
constexpr base::SystemTime noon{1737374400000ms}; ///< 2025-01-20T12:00:00Z

/// `partition@offset` of each record, in the order of each partition.
using Places = std::map<std::int32_t, std::vector<std::int64_t>>;

class RangeReaderTest : public testing::Test {
  protected:
    void SetUp() override {
        const char* brokers = std::getenv("DOCMAP_TEST_KAFKA_BROKERS");
        ASSERT_NE(brokers, nullptr) << "DOCMAP_TEST_KAFKA_BROKERS is not set: run this test with tests/run";
        brokers_ = brokers;
        client_ = std::make_unique<BrokerClient>(brokers_);
    }

    RangeReader& open(const std::string& topic) {
        config_ = quick_config(brokers_, topic);
        reader_ = RangeReader::open(config_).value();
        return *reader_;
    }

    /// Reads to the end, in small batches.
    Places read_all(std::size_t batch = 7) {
        Places places;
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (!reader_->finished() && std::chrono::steady_clock::now() < deadline) {
            const auto records = reader_->read(batch, 1 << 20, 100ms).value();
            EXPECT_LE(records.size(), batch);
            for (const core::RecordPtr& record : records)
                places[record->partition()].push_back(record->offset());
        }
        EXPECT_TRUE(reader_->finished());
        return places;
    }

    static std::vector<std::int64_t> offsets(std::int64_t first, std::int64_t end) {
        std::vector<std::int64_t> all;
        for (std::int64_t offset = first; offset < end; ++offset)
            all.push_back(offset);
        return all;
    }

    std::string brokers_;
    std::unique_ptr<BrokerClient> client_;
    config::Kafka config_; ///< outlives the reader
    std::unique_ptr<RangeReader> reader_;
};

TEST_F(RangeReaderTest, ReadsEachRangeAndNothingElse) {
    const std::string topic = client_->create_topic(2);
    client_->produce_numbers(topic, 100, 0, 0);
    client_->produce_numbers(topic, 50, 0, 1);
    RangeReader& reader = open(topic);
    ASSERT_TRUE(reader.start({{topic, 0, 10, 90}, {topic, 1, 0, 50}}, std::nullopt));
    client_->produce_numbers(topic, 100, 100, 1);
    EXPECT_EQ(read_all(), (Places{{0, offsets(10, 90)}, {1, offsets(0, 50)}}));
    EXPECT_THAT(reader.ranges(),
                ElementsAre(PartitionRange{topic, 0, 90, 90}, PartitionRange{topic, 1, 50, 50}));
    EXPECT_EQ(reader.dropped(), 0u);
}

TEST_F(RangeReaderTest, EndsAtOnceWhereThereIsNothing) {
    const std::string topic = client_->create_topic(1);
    ASSERT_TRUE(open(topic).start({{topic, 0, 5, 5}}, std::nullopt));
    EXPECT_TRUE(reader_->finished());
    EXPECT_TRUE(reader_->read(10, 1024, 10s).value().empty());
}

TEST_F(RangeReaderTest, KnowsTheBoundsAndWhatTheGroupHasSettled) {
    const std::string topic = client_->create_topic(2);
    client_->produce_numbers(topic, 10, 0, 0);
    client_->produce_numbers(topic, 4, 0, 1);
    RangeReader& reader = open(topic);
    client_->commit(config_.group_id, topic, 0, 7);
    const auto bounds = reader.find_bounds(timeout).value();
    ASSERT_GE(bounds.size(), 2u);
    EXPECT_EQ(bounds[0].topic, topic);
    EXPECT_EQ(bounds[0].low, 0);
    EXPECT_EQ(bounds[0].high, 10);
    EXPECT_EQ(bounds[0].committed, 7);
    EXPECT_EQ(bounds[1].partition, 1);
    EXPECT_EQ(bounds[1].high, 4);
    EXPECT_EQ(bounds[1].committed, 0) << "nothing is settled";

    ASSERT_TRUE(reader.start({{topic, 0, 0, 10}}, std::nullopt));
    read_all();
    reader_.reset();
    EXPECT_EQ(client_->committed(config_.group_id, topic, 0), 7) << "reading ranges commits nothing";
    EXPECT_EQ(client_->committed(config_.group_id, topic, 1), -1);
}

TEST_F(RangeReaderTest, KeepsTheRecordsFieldsAndItsOwnLimits) {
    const std::string topic = client_->create_topic(1);
    client_->produce(topic, {{"value", 0, "key", {{"traceparent", "00-1"}}, 1737374400000},
                             {std::nullopt, 0},
                             {std::string(5000, 'x'), 0}});
    ASSERT_TRUE(open(topic).start({{topic, 0, 0, 3}}, std::nullopt));
    std::vector<core::RecordPtr> records;
    std::size_t calls = 0;
    while (!reader_->finished() && ++calls < 1000)
        for (const core::RecordPtr& record : reader_->read(100, 1, 100ms).value())
            records.push_back(record);
    EXPECT_GE(calls, 3u) << "one byte is reached by one record";
    ASSERT_EQ(records.size(), 3u);
    EXPECT_EQ(records[0]->value(), "value");
    EXPECT_EQ(records[0]->key(), "key");
    EXPECT_EQ(records[0]->traceparent(), "00-1");
    EXPECT_EQ(records[0]->timestamp(), noon);
    EXPECT_EQ(records[0]->assignment(), core::no_assignment);
    EXPECT_EQ(records[1]->value(), std::nullopt);
}

TEST_F(RangeReaderTest, SkipsToATimeWhereTheBrokerCanLookItUp) {
    const std::string topic = client_->create_topic(2);
    std::vector<Message> messages;
    for (int number = 0; number < 20; ++number)
        messages.push_back(
            {std::to_string(number), 0, std::nullopt, {}, (noon + number * 1s).time_since_epoch().count()});
    client_->produce(topic, messages);
    RangeReader& reader = open(topic);
    std::vector<PartitionRange> ranges{{topic, 0, 0, 20}, {topic, 1, 0, 0}};
    const std::vector<PartitionRange> before = ranges;
    const auto supported = reader.skip_to(noon + 5s, ranges, timeout);
    ASSERT_TRUE(supported);
    EXPECT_EQ(*supported, !is_mock());
    if (!*supported) {
        EXPECT_EQ(ranges, before) << "the caller compares the timestamps";
        return;
    }
    EXPECT_THAT(ranges, ElementsAre(PartitionRange{topic, 0, 5, 20}, PartitionRange{topic, 1, 0, 0}));
    ASSERT_TRUE(reader.skip_to(noon, ranges, timeout));
    EXPECT_EQ(ranges[0].next, 5) << "never back";
    ASSERT_TRUE(reader.skip_to(noon + 1h, ranges, timeout));
    EXPECT_TRUE(ranges[0].finished());
}

TEST_F(RangeReaderTest, StopsAtATimeOnlyWhereNoLaterRecordCanBeOlder) {
    const std::string topic = client_->create_topic(1);
    client_->produce(topic, {{"old", 0, std::nullopt, {}, 1000},
                             {"new", 0, std::nullopt, {}, noon.time_since_epoch().count()},
                             {"old again", 0, std::nullopt, {}, 2000}});
    ASSERT_TRUE(open(topic).start({{topic, 0, 0, 3}}, base::SystemTime{5000ms}));
    EXPECT_EQ(read_all()[0].size(), 3u) << "producers' clocks may run backwards";
    if (is_mock()) return;

    const std::string stamped = client_->create_topic(1, {{"message.timestamp.type", "LogAppendTime"}});
    client_->produce_numbers(stamped, 5);
    const base::SystemTime between = base::system_now() + 1ms;
    ASSERT_TRUE(eventually([&] { return base::system_now() > between; }));
    client_->produce_numbers(stamped, 5, 5);
    ASSERT_TRUE(open(stamped).start({{stamped, 0, 0, 10}}, between));
    EXPECT_EQ(read_all()[0], offsets(0, 5));
    EXPECT_TRUE(reader_->ranges()[0].finished());
}

TEST_F(RangeReaderTest, CountsWhatKafkaHasDropped) {
    const std::string topic = client_->create_topic(1);
    if (is_mock()) {
        // It keeps 5 MiB of a partition.
        for (int number = 0; number < 10; ++number)
            client_->produce(topic, {{std::string(900'000, 'x'), 0}});
    } else {
        client_->produce_numbers(topic, 10);
        client_->delete_records(topic, 0, 4);
    }
    const auto bounds = open(topic).find_bounds(timeout).value();
    ASSERT_GT(bounds[0].low, 0);
    ASSERT_EQ(bounds[0].high, 10);
    ASSERT_TRUE(reader_->start({{topic, 0, 0, 10}}, std::nullopt));
    EXPECT_EQ(read_all()[0], offsets(bounds[0].low, 10));
    EXPECT_EQ(reader_->dropped(), static_cast<std::uint64_t>(bounds[0].low));
}

TEST_F(RangeReaderTest, EndsThoughTheLastOffsetsHoldNoRecord) {
    const std::string topic = client_->create_topic(1);
    client_->produce_in_transaction(topic, {{"1", 0}, {"2", 0}});
    RangeReader& reader = open(topic);
    // Kafka marks the transaction's end by an offset, soon after it has confirmed the commit.
    const std::int64_t end = is_mock() ? 2 : 3;
    ASSERT_TRUE(eventually([&] { return reader.find_bounds(timeout).value()[0].high == end; }));
    ASSERT_TRUE(reader_->start({{topic, 0, 0, end}}, std::nullopt));
    EXPECT_EQ(read_all()[0], offsets(0, 2));
}

TEST_F(RangeReaderTest, RefusesATopicThatIsNotConfigured) {
    const std::string topic = client_->create_topic(1);
    const auto refused = open(topic).start({{"other", 0, 0, 3}}, std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("\"other\" is not in kafka.topics"));
}

TEST_F(RangeReaderTest, SaysThatNoBrokerAnswers) {
    config_ = quick_config("127.0.0.1:1", "topic");
    const auto bounds = RangeReader::open(config_).value()->find_bounds(1s);
    ASSERT_FALSE(bounds);
    EXPECT_THAT(bounds.error().message, HasSubstr("no broker of \"127.0.0.1:1\" answers"));
    EXPECT_THAT(bounds.error().message, HasSubstr("refused"));
}

TEST(RangeReaderFault, WaitsForABrokerThatIsAwayButNotForEver) {
    MockCluster cluster;
    cluster.create_topic("topic", 1);
    BrokerClient client(cluster.brokers());
    client.produce_numbers("topic", 10);
    const config::Kafka config = quick_config(cluster.brokers(), "topic");
    const auto reader = RangeReader::open(config).value();
    cluster.go_down();
    ASSERT_TRUE(reader->start({{"topic", 0, 0, 10}}, std::nullopt));
    EXPECT_TRUE(reader->read(10, 1024, 300ms).value().empty());
    cluster.come_up();
    std::size_t count = 0;
    EXPECT_TRUE(eventually([&] {
        count += reader->read(10, 1 << 20, 100ms).value().size();
        return reader->finished();
    }));
    EXPECT_EQ(count, 10u);

    const auto other = RangeReader::open(config).value();
    cluster.go_down();
    ASSERT_TRUE(other->start({{"topic", 0, 0, 10}}, std::nullopt));
    other->set_patience(500ms);
    std::string reason;
    EXPECT_TRUE(eventually([&] {
        const auto records = other->read(10, 1024, 100ms);
        if (!records) reason = records.error().message;
        return !records;
    }));
    EXPECT_THAT(reason, HasSubstr("Kafka has sent nothing for"));
}

} // namespace
} // namespace docmap::kafka::test
