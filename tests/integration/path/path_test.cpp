// The path of an event through the daemon's libraries, from a real Kafka to a real receiver and a real
// PostgreSQL.
#include "component/kafka/broker_client.hpp"
#include "component/net/test_server.hpp"
#include "component/store/test_database.hpp"
#include "integration/path/rig.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace docmap {
namespace {

using namespace std::chrono_literals;
using kafka::test::BrokerClient;
using kafka::test::Message;

std::string event_of(const std::string& user_id, int number) {
    return R"({"event":"extraction.completed","userId":")" + user_id + R"(","extractionId":"extract-)" +
           std::to_string(number) + R"("})";
}

/// Answers every request with 204 and remembers the bodies, or never answers.
class Receiver {
  public:
    explicit Receiver(bool answers = true)
        : answers_(answers), server_([this](test::ServerConnection& connection) { serve(connection); }) {}

    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/hook"; }
    std::size_t requests() const { return requests_; }
    std::multiset<std::string> bodies() const {
        const std::lock_guard lock(mutex_);
        return bodies_;
    }

  private:
    void serve(test::ServerConnection& connection) {
        for (;;) {
            const std::string request = connection.read_request();
            if (request.empty()) return;
            {
                const std::lock_guard lock(mutex_);
                bodies_.insert(request.substr(request.find("\r\n\r\n") + 4));
            }
            ++requests_;
            if (!answers_) {
                connection.wait_for_close();
                return;
            }
            if (!connection.write("HTTP/1.1 204 No Content\r\n\r\n")) return;
        }
    }

    bool answers_;
    mutable std::mutex mutex_;
    std::multiset<std::string> bodies_;
    std::atomic<std::size_t> requests_{0};
    test::TestServer server_;
};

class PathTest : public testing::Test {
  protected:
    config::Config config(const std::string& group = kafka::test::unique_name("group")) const {
        return test::make_config(database_.url(), topic_, group);
    }
    std::vector<std::string> produce(const std::string& user_id, int count) {
        std::vector<std::string> bodies;
        std::vector<Message> messages;
        for (int i = 0; i < count; ++i) {
            bodies.push_back(event_of(user_id, i));
            messages.push_back({.value = bodies.back(), .key = user_id});
        }
        broker_.produce(topic_, messages);
        return bodies;
    }
    int count(const std::string& table) const {
        return database_.execute("SELECT count(*) FROM " + table)[0][0].as<int>();
    }
    bool wait_for_commit(const std::string& group, std::int64_t offset) {
        return test::wait_until([&] { return broker_.committed(group, topic_) == offset; });
    }

    test::TestDatabase database_{test::Schema::current};
    BrokerClient broker_{test::make_config("", "", "").kafka.brokers};
    const std::string topic_ = broker_.create_topic(1);
};

TEST_F(PathTest, EventsReachTheirWebhooksAreRecordedAndCommitted) {
    const Receiver receiver;
    const config::Config settings = config();
    test::Rig rig(settings);
    rig.start();
    rig.create_webhook("u1", receiver.url() + "/1");
    rig.create_webhook("u1", receiver.url() + "/2");
    const auto sent = produce("u1", 100);
    produce("nobody", 10);
    broker_.produce(topic_, {{.value = "not JSON"}});

    ASSERT_TRUE(wait_for_commit(settings.kafka.group_id, 111)) << rig.not_ready();
    EXPECT_EQ(count("deliveries WHERE success AND http_status = 204 AND error IS NULL AND attempt = 1"), 200);
    EXPECT_EQ(count("rejected_events WHERE kafka_offset = 110"), 1);
    const auto bodies = receiver.bodies();
    EXPECT_EQ(bodies.size(), 200U);
    for (const std::string& body : sent)
        EXPECT_EQ(bodies.count(body), 2U);
}

TEST_F(PathTest, WhatIsRecordedIsNotSentAgainByWhoeverReadsTheSameRecords) {
    const Receiver receiver;
    {
        test::Rig rig(config());
        rig.start();
        rig.create_webhook("u1", receiver.url());
        produce("u1", 50);
        ASSERT_TRUE(test::wait_until([&] { return count("deliveries") == 50; }));
    }
    // A group of its own has no offsets: it reads everything from the start.
    const config::Config settings = config();
    test::Rig rig(settings);
    rig.start();
    ASSERT_TRUE(wait_for_commit(settings.kafka.group_id, 50));
    EXPECT_EQ(rig.metrics().deliveries_skipped.Value(), 50.0);
    EXPECT_EQ(receiver.requests(), 50U);
    EXPECT_EQ(count("deliveries"), 50);
}

TEST_F(PathTest, AWebhookDeletedElsewhereGetsNothingASecondLater) {
    const Receiver receiver;
    const config::Config settings = config();
    test::Rig rig(settings);
    rig.start();
    const std::string webhook_id = rig.create_webhook("u1", receiver.url());
    produce("u1", 1);
    ASSERT_TRUE(wait_for_commit(settings.kafka.group_id, 1));
    ASSERT_EQ(receiver.requests(), 1U);

    database_.execute("DELETE FROM webhooks WHERE id = '" + webhook_id + "'");
    const auto limit = std::chrono::steady_clock::now() + 1s;
    // Events go on coming; a second after the deletion at the latest none may arrive any more.
    std::int64_t produced = 1;
    while (std::chrono::steady_clock::now() < limit) {
        produce("u1", 1);
        ++produced;
        ASSERT_TRUE(wait_for_commit(settings.kafka.group_id, produced));
    }
    const std::size_t before = receiver.requests();
    produce("u1", 20);
    ASSERT_TRUE(wait_for_commit(settings.kafka.group_id, produced + 20));
    EXPECT_EQ(receiver.requests(), before);
}

TEST_F(PathTest, WhatADrainCutsOffIsNeitherRecordedNorCommittedAndComesAgain) {
    const Receiver silent(false);
    const config::Config settings = config();
    {
        test::Rig rig(settings);
        rig.start();
        rig.create_webhook("u1", silent.url());
        produce("u1", 2);
        ASSERT_TRUE(test::wait_until([&] { return silent.requests() == 2; }));
        EXPECT_TRUE(rig.drain(100ms));
    }
    EXPECT_EQ(count("deliveries"), 0);
    EXPECT_EQ(broker_.committed(settings.kafka.group_id, topic_), -1);

    const Receiver receiver;
    database_.execute("UPDATE webhooks SET url = '" + receiver.url() + "'");
    test::Rig rig(settings);
    rig.start();
    ASSERT_TRUE(wait_for_commit(settings.kafka.group_id, 2));
    EXPECT_EQ(receiver.requests(), 2U);
    EXPECT_EQ(count("deliveries WHERE success"), 2);
}

} // namespace
} // namespace docmap
