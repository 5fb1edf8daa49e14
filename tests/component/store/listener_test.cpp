// Changes of webhooks reach every instance, whoever makes them.
#include "harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::store {
namespace {

using test::eventually;
using test::Instance;
using test::Schema;
using test::TestDatabase;
using testing::Contains;
using testing::ElementsAre;

constexpr std::chrono::seconds promised{1};

class Listener : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(instance_.become_ready());
        ASSERT_TRUE(eventually([this] { return instance_.listener().missed() == 1; }));
    }

    void insert(const std::string& id) {
        database_.execute("INSERT INTO webhooks (id, user_id, url, events, secret_sealed) VALUES ('" + id +
                          "', 'uid_1', 'https://example.test/', '{extraction.failed}', '\\x00')");
    }

    bool hears(const std::string& change) {
        return eventually(
            [&] {
                const auto changes = instance_.listener().changes();
                return std::find(changes.begin(), changes.end(), change) != changes.end();
            },
            promised);
    }

    TestDatabase database_{Schema::current};
    Instance instance_{database_.settings()};
};

TEST_F(Listener, HearsOfChangesMadeByHandWithinASecond) {
    insert("webhook-a");
    EXPECT_TRUE(hears("uid_1/webhook-a/changed"));
    database_.execute("UPDATE webhooks SET active = false");
    EXPECT_TRUE(hears("uid_1/webhook-a/removed"));
    database_.execute("UPDATE webhooks SET user_id = 'uid_2', active = true");
    EXPECT_TRUE(hears("uid_2/webhook-a/changed"));
    database_.execute("DELETE FROM webhooks");
    EXPECT_TRUE(hears("uid_2/webhook-a/removed"));
    EXPECT_THAT(instance_.listener().changes(),
                ElementsAre("uid_1/webhook-a/changed", "uid_1/webhook-a/removed", "uid_1/webhook-a/removed",
                            "uid_2/webhook-a/changed", "uid_2/webhook-a/removed"));
    EXPECT_EQ(instance_.listener().missed(), 1);
}

TEST_F(Listener, WhatNamesNoWebhookMeansThatAnyMayHaveChanged) {
    insert("webhook-a");
    database_.execute("TRUNCATE webhooks");
    EXPECT_TRUE(eventually([this] { return instance_.listener().missed() == 2; }, promised));
    database_.execute("NOTIFY docmap_webhooks, 'not json'");
    EXPECT_TRUE(eventually([this] { return instance_.listener().missed() == 3; }, promised));
}

TEST_F(Listener, HearsOfTheQueueAndTrustsItsWebhooksFurther) {
    database_.execute("NOTIFY docmap_webhooks, '{\"queue\": true}'");
    EXPECT_TRUE(eventually([this] { return instance_.listener().queue_changes() == 1; }, promised));
    database_.execute("NOTIFY docmap_webhooks, '{\"queue\": 1}'");
    EXPECT_TRUE(eventually([this] { return instance_.listener().missed() == 2; }, promised));
    EXPECT_EQ(instance_.listener().queue_changes(), 1);
}

TEST_F(Listener, TellsThatChangesWereMissedAfterItsConnectionWasLost) {
    for (int round = 2; round < 5; ++round) {
        EXPECT_GT(database_.terminate_connections(), 0);
        EXPECT_TRUE(eventually([&] { return instance_.listener().missed() == round; }));
        const std::string id = "webhook-" + std::to_string(round);
        insert(id);
        EXPECT_TRUE(hears("uid_1/" + id + "/changed"));
    }
}

TEST_F(Listener, HearsOfManyChangesInOneTransaction) {
    database_.execute(
        "INSERT INTO webhooks (id, user_id, url, events, secret_sealed) SELECT 'webhook-' || n, "
        "'uid_' || n, 'https://example.test/', '{extraction.failed}', '\\x00' FROM "
        "generate_series(1, 5000) n");
    EXPECT_TRUE(eventually([this] { return instance_.listener().changes().size() == 5000; }));
}

TEST_F(Listener, StopsAtOnce) {
    const auto start = std::chrono::steady_clock::now();
    instance_.store().stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{500});
}

} // namespace
} // namespace docmap::store
