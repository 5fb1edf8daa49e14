// Routing, authentication and errors of the application as a whole.
#include "unit/api/application_fixture.hpp"

#include <gmock/gmock.h>

namespace docmap::api {
namespace {

TEST_F(ApplicationTest, AsksForAKeyBelowV1WhateverThePath) {
    for (const char* target :
         {"/v1", "/v1/", "/v1/webhooks", "/v1/nothing", "/v1/webhooks?limit=1&limit=1"}) {
        const Response response = get(target, "");
        EXPECT_EQ(response.status, http::status::unauthorized) << target;
        EXPECT_EQ(code(response), "UNAUTHORIZED");
        EXPECT_EQ(header(response, http::field::www_authenticate), "Bearer");
        EXPECT_FALSE(body_was_read);
    }
}

TEST_F(ApplicationTest, SaysTheSameOfEveryBadKey) {
    Head twice = head(http::verb::get, "/v1/webhooks");
    twice.insert(http::field::authorization, "Bearer " + key);
    Head basic = head(http::verb::get, "/v1/webhooks", "");
    basic.set(http::field::authorization, "Basic dXNlcjpwYXNz");
    const std::string expected = get("/v1/webhooks", "").body;
    EXPECT_EQ(get("/v1/webhooks", "dm_live_" + std::string(64, '9')).body, expected);
    EXPECT_EQ(get("/v1/webhooks", "dm_live_short").body, expected);
    EXPECT_EQ(get("/v1/webhooks", "other").body, expected);
    EXPECT_EQ(ask(twice).body, expected);
    EXPECT_EQ(ask(basic).body, expected);
}

TEST_F(ApplicationTest, ChecksTheKeyBeforeTheBody) {
    Head request = head(http::verb::post, "/v1/webhooks", "");
    request.set(http::field::content_type, "text/plain");
    EXPECT_EQ(ask(request, "nonsense").status, http::status::unauthorized);
    EXPECT_FALSE(body_was_read);
}

TEST_F(ApplicationTest, NeedsNoKeyOutsideV1) {
    EXPECT_EQ(get("/health", "").body, R"({"status":"ok"})");
    EXPECT_EQ(get("/nothing", "").status, http::status::not_found);
    EXPECT_EQ(keys.lookups(), 0);
}

TEST_F(ApplicationTest, TellsUnknownPathsFromWrongMethods) {
    EXPECT_EQ(code(get("/v1/nothing")), "NOT_FOUND");
    EXPECT_EQ(code(get("/v1/webhooks/")), "NOT_FOUND");
    const Response response = ask(head(http::verb::put, "/v1/webhooks"));
    EXPECT_EQ(response.status, http::status::method_not_allowed);
    EXPECT_EQ(header(response, http::field::allow), "GET, HEAD, POST");
    EXPECT_EQ(header(ask(head(http::verb::options, "/health")), http::field::allow), "GET, HEAD");
}

TEST_F(ApplicationTest, RefusesBadTargetsAndQueries) {
    EXPECT_EQ(get("health", "").status, http::status::bad_request);
    const Response response = get("/v1/webhooks/deliveries?limit=1&limit=2");
    EXPECT_EQ(response.status, http::status::bad_request);
    EXPECT_EQ(message(response), "limit: must not be given twice");
    EXPECT_EQ(get("/v1/webhooks?anything=1").status, http::status::ok);
}

TEST_F(ApplicationTest, RefusesOtherMediaTypesBeforeReading) {
    Head request = head(http::verb::post, "/v1/webhooks");
    request.set(http::field::content_type, "application/x-www-form-urlencoded");
    Response response = ask(request, "url=x");
    EXPECT_EQ(response.status, http::status::unsupported_media_type);
    EXPECT_EQ(code(response), "UNSUPPORTED_MEDIA_TYPE");
    EXPECT_FALSE(body_was_read);
    request.erase(http::field::content_type);
    EXPECT_EQ(ask(request, "{}").status, http::status::unsupported_media_type);
    request.set(http::field::content_type, "application/json; charset=utf-8");
    request.set(http::field::content_encoding, "gzip");
    EXPECT_EQ(ask(request, "{}").status, http::status::unsupported_media_type);
}

TEST_F(ApplicationTest, SaysWhenTheDatabaseIsAway) {
    webhooks.trouble.error = ports::RepositoryError::unavailable;
    const Response from_webhooks = get("/v1/webhooks");
    EXPECT_EQ(from_webhooks.status, http::status::service_unavailable);
    EXPECT_EQ(code(from_webhooks), "UNAVAILABLE");
    EXPECT_EQ(header(from_webhooks, http::field::retry_after), "5");
    keys.trouble.error = ports::RepositoryError::unavailable;
    EXPECT_EQ(get("/v1/webhooks").status, http::status::service_unavailable);
}

TEST_F(ApplicationTest, HidesWhatWentWrongInside) {
    webhooks.trouble.throws = true;
    const Response response = create("https://a.example/");
    EXPECT_EQ(response.status, http::status::internal_server_error);
    EXPECT_EQ(code(response), "INTERNAL_ERROR");
    EXPECT_THAT(response.body, testing::Not(testing::HasSubstr("secret detail")));
    keys.trouble.throws = true;
    EXPECT_EQ(code(get("/v1/webhooks")), "INTERNAL_ERROR");
}

TEST_F(ApplicationTest, ShowsTheStateOfEachPart) {
    EXPECT_EQ(get("/ready", "").body, R"({"status":"ok","parts":{}})");
    health.report("postgres", true);
    health.expect("kafka", "no broker reached yet");
    const Response not_ready = get("/ready", "");
    EXPECT_EQ(not_ready.status, http::status::service_unavailable);
    EXPECT_EQ(not_ready.body, R"({"status":"unavailable","parts":{"kafka":{"status":"unavailable",)"
                              R"("detail":"no broker reached yet"},"postgres":{"status":"ok"}}})");
    health.report("kafka", true);
    EXPECT_EQ(get("/ready", "").status, http::status::ok);
}

TEST_F(ApplicationTest, ExposesMetrics) {
    metrics.records_received.Increment(3);
    const Response response = get("/metrics", "");
    EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(response.body, testing::HasSubstr("docmap_records_received_total 3"));
}

} // namespace
} // namespace docmap::api
