// The store's pure parts: notifications, events, ids, connection parameters, embedded migrations.
#include "store/connection.hpp"
#include "store/embedded_migrations.hpp"
#include "store/random.hpp"
#include "store/webhook_listener.hpp"
#include "store/webhook_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace docmap::store {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(WebhookChange, IsReadFromItsPayload) {
    const auto change =
        parse_webhook_change(R"({"userId" : "u\"1", "webhookId" : "webhook-1", "removed" : true})");
    EXPECT_EQ(change.user_id, "u\"1");
    EXPECT_EQ(change.webhook_id, "webhook-1");
    EXPECT_TRUE(change.removed);
}

TEST(WebhookChange, NamesNoUserWhereThePayloadIsOdd) {
    for (const char* payload : {"", "{}", "[]", "nonsense", R"({"userId":1,"webhookId":"w","removed":true})",
                                R"({"userId":"u","webhookId":"w","removed":"yes"})", R"({"userId":"u"})"})
        EXPECT_EQ(parse_webhook_change(payload).user_id, "") << payload;
}

TEST(WebhookChange, MayBeAboutTheQueueInstead) {
    EXPECT_TRUE(parse_webhook_change(R"({"queue": true})").queue);
    for (const char* payload : {"{}", R"({"queue":false})", R"({"queue":"true"})", R"({"queue":1})"})
        EXPECT_FALSE(parse_webhook_change(payload).queue) << payload;
}

TEST(WebhookRows, EventsAreReadAndWritten) {
    using core::EventType;
    EXPECT_EQ(parse_events("extraction.failed"), core::EventSet{EventType::extraction_failed});
    EXPECT_EQ(parse_events("extraction.failed,later.event,extraction.completed"),
              (core::EventSet{EventType::extraction_completed, EventType::extraction_failed}));
    EXPECT_TRUE(parse_events("").empty());
    EXPECT_EQ(events_literal({EventType::extraction_completed, EventType::extraction_failed}),
              R"({"extraction.completed","extraction.failed"})");
}

TEST(RandomId, HasTwelveCharactersAndDiffersEachTime) {
    std::set<std::string> ids;
    const std::regex form("webhook-[a-z0-9]{12}");
    for (int i = 0; i < 1000; ++i)
        ids.insert(random_id("webhook-"));
    EXPECT_EQ(ids.size(), 1000U);
    for (const std::string& id : ids)
        EXPECT_TRUE(std::regex_match(id, form)) << id;
}

TEST(ConnectionParameters, AddLimitsThatTheUrlDoesNotSet) {
    config::Postgres settings;
    settings.url = "postgresql://user:pa%27ss%5C@db.example/docmap?connect_timeout=9&options=-c%20geqo%3Doff";
    settings.statement_timeout = std::chrono::milliseconds{1234};
    const std::string parameters = connection_parameters(settings, Planning::once).value();
    EXPECT_THAT(parameters, HasSubstr(R"(password='pa\'ss\\')"));
    EXPECT_THAT(parameters, HasSubstr("connect_timeout='9'"));
    EXPECT_THAT(parameters, HasSubstr("application_name='docmap-webhookd'"));
    EXPECT_THAT(parameters, HasSubstr("tcp_user_timeout='1234'"));
    EXPECT_THAT(parameters,
                HasSubstr("-c statement_timeout=1234 -c idle_in_transaction_session_timeout=1000 "));
    EXPECT_THAT(parameters, HasSubstr("plan_cache_mode=force_generic_plan -c enable_seqscan=off "
                                      "-c enable_hashjoin=off -c enable_mergejoin=off -c geqo=off'"));
    EXPECT_THAT(parameters, HasSubstr("client_encoding='UTF8'"));
}

TEST(ConnectionParameters, ConnectTimeoutIsInWholeSecondsAndAtLeastTwo) {
    config::Postgres settings;
    settings.connect_timeout = std::chrono::milliseconds{100};
    EXPECT_THAT(connection_parameters(settings, Planning::once).value(), HasSubstr("connect_timeout='2'"));
    settings.connect_timeout = std::chrono::milliseconds{4001};
    EXPECT_THAT(connection_parameters(settings, Planning::once).value(), HasSubstr("connect_timeout='5'"));
}

TEST(ConnectionParameters, AMalformedUrlIsNotRepeated) {
    config::Postgres settings;
    settings.url = "postgresql://user:hidden@[::1/docmap";
    const auto parameters = connection_parameters(settings, Planning::once);
    ASSERT_FALSE(parameters.has_value());
    EXPECT_THAT(parameters.error().message, HasSubstr("expected postgresql://"));
    EXPECT_THAT(parameters.error().message, Not(HasSubstr("hidden")));
}

TEST(EmbeddedMigrations, AreNumberedFromOne) {
    int expected = 0;
    for (const Migration& migration : embedded_migrations()) {
        EXPECT_EQ(migration.version, ++expected);
        EXPECT_THAT(std::string(migration.sql), HasSubstr(";"));
    }
    EXPECT_GE(expected, 1);
}

} // namespace
} // namespace docmap::store
