// Webhooks as the API stores them and as the pipeline reads them back.
#include "harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <regex>
#include <set>

namespace docmap::store {
namespace {

using core::EventType;
using ports::RepositoryError;
using test::Instance;
using test::Schema;
using test::TestDatabase;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string secret(64, 'a');

class Webhooks : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(instance_.become_ready()); }

    ports::RepositoryResult<ports::WebhookView> create(const std::string& user_id = "uid_1",
                                                       const std::string& url = "https://example.test/hook") {
        return instance_.loop().wait(
            repository().create({user_id, url, {EventType::extraction_completed}, {secret}}));
    }
    std::vector<std::string> listed(const std::string& user_id, bool active = true) {
        std::vector<std::string> ids;
        for (const auto& view : instance_.loop().wait(repository().list(user_id, active)).value())
            ids.push_back(view.id);
        return ids;
    }
    ports::WebhookRepository& repository() { return instance_.store().webhooks(); }

    TestDatabase database_{Schema::current};
    Instance instance_{database_.settings()};
};

TEST_F(Webhooks, ACreatedWebhookIsListedAndLoaded) {
    const auto before = base::system_now();
    const ports::WebhookView view = create().value();
    EXPECT_TRUE(std::regex_match(view.id, std::regex("webhook-[a-z0-9]{12}"))) << view.id;
    EXPECT_EQ(view.user_id, "uid_1");
    EXPECT_TRUE(view.active);
    EXPECT_GE(view.created_at, before - std::chrono::seconds{5});
    EXPECT_LE(view.created_at, base::system_now() + std::chrono::seconds{5});

    const auto list = instance_.loop().wait(repository().list("uid_1", true)).value();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].id, view.id);
    EXPECT_EQ(list[0].created_at, view.created_at);
    EXPECT_EQ(list[0].events, core::EventSet{EventType::extraction_completed});

    const auto loaded = instance_.load({"uid_1"}).value();
    ASSERT_EQ(loaded.size(), 1U);
    ASSERT_EQ(loaded[0].webhooks.size(), 1U);
    const core::Webhook& webhook = *loaded[0].webhooks[0];
    EXPECT_EQ(webhook.id, view.id);
    EXPECT_EQ(webhook.url, "https://example.test/hook");
    EXPECT_EQ(webhook.parsed_url.origin, (core::Origin{true, "example.test", 443}));
    EXPECT_EQ(webhook.parsed_url.target, "/hook");
    EXPECT_EQ(webhook.secret.text, secret);
    EXPECT_FALSE(webhook.previous_secret.has_value());
    EXPECT_FALSE(webhook.max_attempts_per_second.has_value());
}

TEST_F(Webhooks, ARateLimitIsLoaded) {
    create().value();
    database_.execute("UPDATE webhooks SET max_attempts_per_second = 25");
    EXPECT_EQ(instance_.load({"uid_1"}).value()[0].webhooks[0]->max_attempts_per_second, 25U);
}

TEST_F(Webhooks, SecretsAreStoredEncrypted) {
    create().value();
    EXPECT_EQ(database_.count("webhooks WHERE position('" + secret + "'::bytea IN secret_sealed) > 0"), 0);
}

TEST_F(Webhooks, AreListedNewestFirst) {
    std::vector<std::string> ids;
    for (int i = 0; i < 4; ++i)
        ids.insert(ids.begin(), create().value().id);
    database_.execute("UPDATE webhooks SET created_at = created_at - interval '1 day' WHERE id = '" + ids[0] +
                      "'");
    EXPECT_EQ(listed("uid_1").back(), ids[0]);
    EXPECT_EQ(listed("uid_1").size(), 4U);
    EXPECT_THAT(listed("uid_2"), IsEmpty());
}

TEST_F(Webhooks, OnlyTheActiveOnesCountAgainstTheLimit) {
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(create().has_value());
    EXPECT_EQ(create().error(), RepositoryError::limit_reached);
    EXPECT_TRUE(create("uid_2").has_value());
    database_.execute("UPDATE webhooks SET active = false WHERE id = '" + listed("uid_1")[0] + "'");
    EXPECT_EQ(listed("uid_1", false).size(), 1U);
    EXPECT_TRUE(create().has_value());
    EXPECT_EQ(create().error(), RepositoryError::limit_reached);
}

TEST_F(Webhooks, FiftyRacingCallsOverThreeInstancesMakeTen) {
    Instance second(database_.settings());
    Instance third(database_.settings());
    ASSERT_TRUE(second.become_ready());
    ASSERT_TRUE(third.become_ready());
    const std::array<Instance*, 3> instances = {&instance_, &second, &third};
    std::vector<std::future<ports::RepositoryResult<ports::WebhookView>>> calls;
    for (std::size_t i = 0; i < 50; ++i) {
        Instance& instance = *instances[i % instances.size()];
        calls.push_back(instance.loop().start(instance.store().webhooks().create(
            {"uid_1", "https://example.test/", {EventType::extraction_failed}, {secret}})));
    }
    int created = 0;
    for (auto& call : calls) {
        const auto result = call.get();
        created += result.has_value() ? 1 : 0;
        EXPECT_TRUE(result.has_value() || result.error() == RepositoryError::limit_reached);
    }
    EXPECT_EQ(created, 10);
    EXPECT_EQ(database_.count("webhooks"), 10);
}

TEST_F(Webhooks, AreRemovedByTheirOwnerOnly) {
    const std::string id = create().value().id;
    const auto remove = [&](const std::string& user_id, const std::string& webhook_id) {
        return instance_.loop().wait(repository().remove(user_id, webhook_id));
    };
    EXPECT_EQ(remove("uid_2", id).error(), RepositoryError::forbidden);
    EXPECT_EQ(remove("uid_1", "webhook-none").error(), RepositoryError::not_found);
    EXPECT_EQ(remove("uid_1", std::string("a\0b\xff", 4)).error(), RepositoryError::not_found);
    EXPECT_EQ(database_.count("webhooks"), 1);
    EXPECT_TRUE(remove("uid_1", id).has_value());
    EXPECT_EQ(remove("uid_1", id).error(), RepositoryError::not_found);
    EXPECT_EQ(database_.count("webhooks"), 0);
}

TEST_F(Webhooks, LoadingNamesEveryUserOnce) {
    create("uid_1").value();
    create("uid_3").value();
    create("uid_3").value();
    const auto loaded = instance_.load({"uid_3", "uid \"2\",{}", "uid_1", "uid_3"}).value();
    std::vector<std::string> found;
    for (const auto& user : loaded)
        found.push_back(user.user_id + ": " + std::to_string(user.webhooks.size()));
    EXPECT_THAT(found, ElementsAre("uid_3: 2", "uid \"2\",{}: 0", "uid_1: 1"));
    EXPECT_THAT(instance_.load({}).value(), IsEmpty());
}

TEST_F(Webhooks, InactiveAndUnreadableOnesAreLeftOut) {
    const std::string good = create().value().id;
    const std::string inactive = create().value().id;
    const std::string bad_url = create().value().id;
    const std::string bad_secret = create().value().id;
    const std::string moved_secret = create().value().id;
    database_.execute("UPDATE webhooks SET active = false WHERE id = '" + inactive + "'");
    database_.execute("UPDATE webhooks SET url = 'nonsense' WHERE id = '" + bad_url + "'");
    database_.execute("UPDATE webhooks SET secret_sealed = '\\x00' WHERE id = '" + bad_secret + "'");
    database_.execute("UPDATE webhooks SET secret_sealed = (SELECT secret_sealed FROM webhooks WHERE id = '" +
                      good + "') WHERE id = '" + moved_secret + "'");
    const auto loaded = instance_.load({"uid_1"}).value();
    ASSERT_EQ(loaded[0].webhooks.size(), 1U);
    EXPECT_EQ(loaded[0].webhooks[0]->id, good);
}

TEST_F(Webhooks, DuringARotationBothSecretsAreLoaded) {
    create().value();
    database_.execute("UPDATE webhooks SET previous_secret_sealed = secret_sealed, "
                      "previous_secret_expires_at = '2030-01-01T00:00:00Z'");
    const auto loaded = instance_.load({"uid_1"}).value();
    const core::Webhook& webhook = *loaded.at(0).webhooks.at(0);
    EXPECT_EQ(webhook.previous_secret.value().text, secret);
    EXPECT_EQ(base::format_iso8601(webhook.previous_secret_expires_at), "2030-01-01T00:00:00.000Z");
}

} // namespace
} // namespace docmap::store
