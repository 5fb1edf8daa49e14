#include "api/json_body.hpp"
#include "api/webhook_input.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::api {
namespace {

ApiResult<WebhookInput> read(std::string_view body, bool allow_http = false,
                             const core::AddressPolicy& policy = core::AddressPolicy()) {
    return read_webhook_input(*read_json_object(body), UrlRules{policy, allow_http});
}

ApiResult<WebhookInput> read_with_url(const std::string& url, bool allow_http = false) {
    return read(R"({"url":")" + url + R"(","events":["extraction.failed"]})", allow_http);
}

std::string problem(const ApiResult<WebhookInput>& result) {
    if (result) return "";
    EXPECT_EQ(result.error().status, http::status::bad_request);
    EXPECT_EQ(result.error().code, "VALIDATION_ERROR");
    return result.error().message;
}

TEST(WebhookInput, ReadsTheReferenceExample) {
    const auto input = read(R"({"url": "https://your-app.com/webhooks/docmap",
                                "events": ["extraction.completed", "extraction.failed"]})");
    ASSERT_TRUE(input);
    EXPECT_EQ(input->url, "https://your-app.com/webhooks/docmap");
    EXPECT_EQ(input->events,
              (core::EventSet{core::EventType::extraction_completed, core::EventType::extraction_failed}));
}

TEST(WebhookInput, CollapsesDuplicateEventsAndIgnoresUnknownFields) {
    const auto input = read(R"({"url":"https://a.example/x","more":1,
                                "events":["extraction.failed","extraction.failed"]})");
    ASSERT_TRUE(input);
    EXPECT_EQ(input->events, core::EventSet{core::EventType::extraction_failed});
}

TEST(WebhookInput, NamesTheFieldAndTheRule) {
    constexpr std::string_view names = "extraction.completed, extraction.failed";
    EXPECT_EQ(problem(read(R"({"events":["extraction.failed"]})")), "url: is required");
    EXPECT_EQ(problem(read(R"({"url":1,"events":["extraction.failed"]})")), "url: must be a string");
    EXPECT_EQ(problem(read(R"({"url":"https://a.example"})")), "events: is required");
    EXPECT_EQ(problem(read(R"({"url":"https://a.example","events":"extraction.failed"})")),
              "events: must be an array of event names");
    EXPECT_EQ(problem(read(R"({"url":"https://a.example","events":[]})")),
              "events: must hold at least one of: " + std::string(names));
    for (const char* events : {"[\"extraction.started\"]", "[1]", "[null]", "[\"extraction.failed\",\"\"]"})
        EXPECT_EQ(problem(read(R"({"url":"https://a.example","events":)" + std::string(events) + "}")),
                  "events: must hold only these names: " + std::string(names));
}

TEST(WebhookInput, RefusesBadUrls) {
    for (const char* url : {"", "your-app.com", "http://your-app.com/x", "ftp://a.example", "https://", "/x"})
        EXPECT_TRUE(problem(read_with_url(url)).starts_with("url: ")) << url;
    EXPECT_EQ(problem(read_with_url("http://your-app.com/x", true)), "");
}

TEST(WebhookInput, RefusesAddressesThatMayNotBeCalled) {
    EXPECT_EQ(problem(read_with_url("https://10.0.0.7/x")),
              "url: must lead to a public address; 10.0.0.7 is a private address");
    for (const char* url : {"https://127.0.0.1/", "https://[::1]:8443/", "https://169.254.169.254/latest",
                            "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/"})
        EXPECT_TRUE(problem(read_with_url(url)).starts_with("url: must lead to a public address; ")) << url;
    EXPECT_EQ(problem(read_with_url("https://8.8.8.8/")), "");
}

TEST(WebhookInput, TakesAddressesThatTheConfigurationAllows) {
    const core::AddressPolicy policy = *core::AddressPolicy::from_cidrs({"127.0.0.0/8"});
    EXPECT_EQ(
        problem(read(R"({"url":"https://127.0.0.1:8443/x","events":["extraction.failed"]})", false, policy)),
        "");
}

TEST(WebhookId, HasOneForm) {
    EXPECT_TRUE(is_webhook_id("webhook-abc123def456"));
    for (const char* text : {"", "webhook-", "webhook-abc123def45", "webhook-abc123def4567",
                             "webhook-ABC123def456", "webhool-abc123def456", "webhook-abc123def45'"})
        EXPECT_FALSE(is_webhook_id(text)) << text;
}

} // namespace
} // namespace docmap::api
