#include "api/response.hpp"
#include "api/views.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <chrono>

namespace docmap::api {
namespace {

using namespace std::chrono_literals;

base::SystemTime at(std::int64_t milliseconds) {
    return base::SystemTime(std::chrono::milliseconds(milliseconds));
}

TEST(Response, FormatsDates) {
    EXPECT_EQ(format_http_date(at(784'111'777'000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(format_http_date(at(1'709'251'199'999)), "Thu, 29 Feb 2024 23:59:59 GMT");
    EXPECT_EQ(format_http_date(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Response, CarriesTheHeadersThatAllHave) {
    const auto message = to_http(error_response(unauthorized()), {11, true}, at(0));
    EXPECT_EQ(message.result_int(), 401U);
    EXPECT_EQ(message[http::field::server], "docmap-webhookd");
    EXPECT_EQ(message[http::field::content_type], "application/json; charset=utf-8");
    EXPECT_EQ(message[http::field::cache_control], "no-store");
    EXPECT_EQ(message["X-Content-Type-Options"], "nosniff");
    EXPECT_EQ(message[http::field::www_authenticate], "Bearer");
    EXPECT_EQ(message[http::field::content_length], std::to_string(message.body().size()));
    EXPECT_TRUE(message.keep_alive());
    EXPECT_FALSE(to_http(Response(), {11, false}, at(0)).keep_alive());
    EXPECT_EQ(to_http(Response(), {10, true}, at(0))[http::field::connection], "keep-alive");
}

TEST(Response, WrapsErrors) {
    EXPECT_EQ(
        error_response(unauthorized()).body,
        R"({"error":{"code":"UNAUTHORIZED","message":"Missing, invalid, or expired API key / token."}})");
    EXPECT_EQ(
        error_response(from_repository(ports::RepositoryError::limit_reached)).body,
        R"({"error":{"code":"MAX_WEBHOOKS_REACHED","message":"You have reached the maximum of 10 active )"
        R"(webhooks. Delete an existing webhook before creating a new one."}})");
}

TEST(Views, ShowAWebhookAsOnTheReferencePage) {
    ports::WebhookView webhook;
    webhook.id = "webhook-abc123def456";
    webhook.user_id = "uid_a1b2c3d4e5f6";
    webhook.url = "https://your-app.com/webhooks/docmap";
    webhook.events = {core::EventType::extraction_failed, core::EventType::extraction_completed};
    webhook.created_at = at(1'736'935'200'000);
    EXPECT_EQ(boost::json::serialize(to_json(webhook)),
              R"({"id":"webhook-abc123def456","userId":"uid_a1b2c3d4e5f6",)"
              R"("url":"https://your-app.com/webhooks/docmap",)"
              R"("events":["extraction.completed","extraction.failed"],"active":true,)"
              R"("createdAt":"2025-01-15T10:00:00.000Z"})");
}

TEST(Views, ShowADeliveryAsOnTheReferencePage) {
    ports::DeliveryView delivery;
    delivery.id = "abc123def456";
    delivery.user_id = "uid_a1b2c3d4e5f6";
    delivery.webhook_id = "webhook-abc123def456";
    delivery.extraction_id = "extract-xyz789";
    delivery.event = "extraction.completed";
    delivery.event_id = "evt_1";
    delivery.url = "https://your-app.com/webhooks/docmap";
    delivery.success = true;
    delivery.http_status = 200;
    delivery.duration_ms = 342;
    delivery.created_at = at(1'737'383'404'000);
    const std::string common =
        R"({"id":"abc123def456","userId":"uid_a1b2c3d4e5f6","webhookId":"webhook-abc123def456",)"
        R"("extractionId":"extract-xyz789","event":"extraction.completed",)"
        R"("url":"https://your-app.com/webhooks/docmap",)";
    EXPECT_EQ(boost::json::serialize(to_json(delivery)),
              common + R"("status":"success","httpStatus":200,"error":null,"durationMs":342,)"
                       R"("createdAt":"2025-01-20T14:30:04.000Z","eventId":"evt_1","attempt":1,)"
                       R"("nextAttemptAt":null})");

    delivery.success = false;
    delivery.http_status.reset();
    delivery.error = "The operation was aborted due to timeout";
    delivery.next_attempt_at = delivery.created_at + 5s;
    EXPECT_EQ(boost::json::serialize(to_json(delivery)),
              common + R"("status":"failed","httpStatus":null,)"
                       R"("error":"The operation was aborted due to timeout","durationMs":342,)"
                       R"("createdAt":"2025-01-20T14:30:04.000Z","eventId":"evt_1","attempt":1,)"
                       R"("nextAttemptAt":"2025-01-20T14:30:09.000Z"})");
}

} // namespace
} // namespace docmap::api
