// The calls on webhooks and deliveries, as clients see them.
#include "unit/api/application_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>

namespace docmap::api {
namespace {

namespace json = boost::json;

TEST_F(ApplicationTest, CreatesAWebhookAndShowsItsSecretOnce) {
    const Response response = create("https://your-app.com/webhooks/docmap");
    EXPECT_EQ(response.status, http::status::ok);
    ASSERT_EQ(webhooks.secrets().size(), 1U);
    const std::string secret = webhooks.secrets().front();
    EXPECT_THAT(secret, testing::MatchesRegex("[0-9a-f]{64}"));
    EXPECT_EQ(response.body, R"({"data":{"secret":")" + secret +
                                 R"(","webhook":{"id":"webhook-000000000001","userId":"uid_1",)"
                                 R"("url":"https://your-app.com/webhooks/docmap",)"
                                 R"("events":["extraction.completed","extraction.failed"],)"
                                 R"("active":true,"createdAt":"2025-01-15T10:00:00.000Z"}}})");
    EXPECT_EQ(changes.changes(),
              (std::vector{test::RecordedChanges::Change{"uid_1", "webhook-000000000001", false}}));
    EXPECT_THAT(get("/v1/webhooks").body, testing::Not(testing::HasSubstr("secret")));
}

TEST_F(ApplicationTest, GivesEveryWebhookItsOwnSecret) {
    create("https://a.example/");
    create("https://a.example/");
    EXPECT_NE(webhooks.secrets().at(0), webhooks.secrets().at(1));
}

TEST_F(ApplicationTest, RefusesABadWebhook) {
    const Response bad_json = ask(head(http::verb::post, "/v1/webhooks"), "{");
    EXPECT_EQ(bad_json.status, http::status::bad_request);
    EXPECT_EQ(code(bad_json), "VALIDATION_ERROR");
    EXPECT_EQ(message(create("https://10.0.0.7/")),
              "url: must lead to a public address; 10.0.0.7 is a private address");
    EXPECT_TRUE(changes.changes().empty());
}

TEST_F(ApplicationTest, RefusesTheEleventhWebhook) {
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(create("https://a.example/").status, http::status::ok);
    const Response response = create("https://a.example/");
    EXPECT_EQ(response.status, http::status::bad_request);
    EXPECT_EQ(code(response), "MAX_WEBHOOKS_REACHED");
    EXPECT_EQ(message(response),
              "You have reached the maximum of 10 active webhooks. Delete an existing webhook "
              "before creating a new one.");
    EXPECT_EQ(create("https://a.example/", other_key).status, http::status::ok);
    EXPECT_EQ(changes.changes().size(), 11U);
}

TEST_F(ApplicationTest, ListsTheUsersActiveWebhooksNewestFirst) {
    create("https://a.example/1");
    create("https://a.example/2");
    create("https://a.example/3", other_key);
    ports::WebhookView deactivated;
    deactivated.id = "webhook-000000000009";
    deactivated.user_id = "uid_1";
    deactivated.active = false;
    webhooks.add(deactivated);

    const auto urls = [](const Response& response) {
        std::vector<std::string> found;
        const json::value body = json::parse(response.body);
        for (const json::value& webhook : body.at("data").as_array())
            found.emplace_back(webhook.at("url").as_string());
        return found;
    };
    EXPECT_EQ(urls(get("/v1/webhooks")),
              (std::vector<std::string>{"https://a.example/2", "https://a.example/1"}));
    EXPECT_EQ(get("/v1/webhooks?active=true").body, get("/v1/webhooks").body);
    EXPECT_THAT(get("/v1/webhooks?active=false").body, testing::HasSubstr("webhook-000000000009"));
    EXPECT_EQ(get("/v1/webhooks", other_key).status, http::status::ok);
    EXPECT_EQ(message(get("/v1/webhooks?active=yes")), "active: must be one of true, false");
}

TEST_F(ApplicationTest, DeletesAWebhookAtOnceAndForGood) {
    create("https://a.example/1");
    const Head request = head(http::verb::delete_, "/v1/webhooks/webhook-000000000001");
    const Head of_other = head(http::verb::delete_, "/v1/webhooks/webhook-000000000001", other_key);
    const Response forbidden = ask(of_other);
    EXPECT_EQ(forbidden.status, http::status::forbidden);
    EXPECT_EQ(code(forbidden), "FORBIDDEN");
    EXPECT_EQ(ask(request).body, R"({"success":true})");
    EXPECT_EQ(changes.changes().back(),
              (test::RecordedChanges::Change{"uid_1", "webhook-000000000001", true}));
    const Response again = ask(request);
    EXPECT_EQ(again.status, http::status::not_found);
    EXPECT_EQ(message(again), "There is no webhook with the id \"webhook-000000000001\".");
    EXPECT_EQ(code(ask(head(http::verb::delete_, "/v1/webhooks/%00"))), "NOT_FOUND");
    EXPECT_EQ(changes.changes().size(), 2U);
}

class DeliveryCallsTest : public ApplicationTest {
  protected:
    /// 120 deliveries of uid_1, newest first, pairs of them in the same millisecond; one of uid_2.
    DeliveryCallsTest() {
        for (int i = 0; i < 120; ++i)
            deliveries.rows.push_back(delivery(i, "uid_1"));
        deliveries.rows.push_back(delivery(200, "uid_2"));
    }

    static ports::DeliveryView delivery(int number, const std::string& user_id) {
        ports::DeliveryView view;
        view.id = "d" + std::to_string(999 - number);
        view.user_id = user_id;
        view.webhook_id = number % 2 == 0 ? "webhook-aaaaaaaaaaaa" : "webhook-bbbbbbbbbbbb";
        view.extraction_id = "extract " + std::to_string(number / 4);
        view.event = number % 3 == 0 ? "extraction.failed" : "extraction.completed";
        view.success = number % 5 != 0;
        view.created_at = base::SystemTime(std::chrono::milliseconds(1'737'383'404'000 - number / 2));
        return view;
    }

    json::value page(const std::string& query) {
        const Response response = get("/v1/webhooks/deliveries" + query);
        EXPECT_EQ(response.status, http::status::ok) << response.body;
        return json::parse(response.body);
    }
};

TEST_F(DeliveryCallsTest, PagesThroughAllOfTheUsersDeliveries) {
    std::vector<std::string> ids;
    std::string query = "?limit=50";
    std::vector<std::size_t> sizes;
    for (bool more = true; more;) {
        const json::value body = page(query);
        sizes.push_back(body.at("data").as_array().size());
        for (const json::value& entry : body.at("data").as_array())
            ids.emplace_back(entry.at("id").as_string());
        more = body.at("hasMore").as_bool();
        EXPECT_EQ(more, body.at("nextCursor").is_string());
        if (more) query = "?limit=50&cursor=" + std::string(body.at("nextCursor").as_string());
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{50, 50, 20}));
    for (std::size_t i = 0; i < 120; ++i)
        EXPECT_EQ(ids.at(i), "d" + std::to_string(999 - i));
}

TEST_F(DeliveryCallsTest, ReturnsFiftyUnlessAsked) {
    EXPECT_EQ(page("").at("data").as_array().size(), 50U);
    EXPECT_EQ(page("?limit=1").at("data").as_array().size(), 1U);
    EXPECT_EQ(page("?limit=100").at("data").as_array().size(), 100U);
}

TEST_F(DeliveryCallsTest, EndsWithoutACursorOnAFullLastPage) {
    deliveries.rows.resize(50);
    const json::value body = page("");
    EXPECT_EQ(body.at("data").as_array().size(), 50U);
    EXPECT_FALSE(body.at("hasMore").as_bool());
    EXPECT_TRUE(body.at("nextCursor").is_null());
}

TEST_F(DeliveryCallsTest, Filters) {
    EXPECT_EQ(page("?limit=100&webhookId=webhook-aaaaaaaaaaaa").at("data").as_array().size(), 60U);
    EXPECT_EQ(page("?limit=100&event=extraction.failed").at("data").as_array().size(), 40U);
    EXPECT_EQ(page("?limit=100&status=failed").at("data").as_array().size(), 24U);
    EXPECT_EQ(page("?limit=100&status=success").at("data").as_array().size(), 96U);
    EXPECT_EQ(page("?extractionId=extract%207").at("data").as_array().size(), 4U);
    EXPECT_EQ(page("?extractionId=extract+7&status=failed").at("data").as_array().size(), 1U);
    EXPECT_EQ(page("?webhookId=webhook-of-nobody").at("data").as_array().size(), 0U);
}

TEST_F(DeliveryCallsTest, RefusesBadFilters) {
    for (const char* query : {"?limit=0", "?limit=101", "?limit=ten", "?status=ok", "?event=extraction",
                              "?cursor=x", "?cursor=", "?webhookId=", "?extractionId=%00"}) {
        const Response response = get("/v1/webhooks/deliveries" + std::string(query));
        EXPECT_EQ(response.status, http::status::bad_request) << query;
        EXPECT_EQ(code(response), "VALIDATION_ERROR") << query;
    }
    EXPECT_EQ(message(get("/v1/webhooks/deliveries?cursor=x")),
              "cursor: must be the nextCursor of an earlier answer");
}

} // namespace
} // namespace docmap::api
