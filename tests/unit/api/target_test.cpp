#include "api/target.hpp"

#include <gtest/gtest.h>

namespace docmap::api {
namespace {

QueryParameters query(std::string_view text) {
    const ApiResult<QueryParameters> result = parse_query(text);
    EXPECT_TRUE(result.has_value()) << text;
    return result ? *result : QueryParameters();
}

TEST(Target, SplitsAndDecodesThePath) {
    const auto target = parse_target("/v1/webhooks/a%2Fb%20c?limit=10");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "webhooks", "a/b c"}));
    EXPECT_EQ(target->encoded_query, "limit=10");
}

TEST(Target, TakesTheAbsoluteForm) {
    const auto target = parse_target("http://api.example.com/health?a=b");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->segments, std::vector<std::string>{"health"});
}

TEST(Target, KeepsEmptySegmentsApart) {
    EXPECT_EQ(parse_target("/v1/webhooks/")->segments, (std::vector<std::string>{"v1", "webhooks", ""}));
    EXPECT_EQ(parse_target("//health")->segments, (std::vector<std::string>{"", "health"}));
    EXPECT_TRUE(parse_target("/")->segments.empty() || parse_target("/")->segments.front().empty());
}

TEST(Target, RefusesWhatIsNoPath) {
    for (const char* text : {"*", "", "health", "/a%zz", "/a b", "/\x01", "http://[::1/health"}) {
        const auto target = parse_target(text);
        ASSERT_FALSE(target) << text;
        EXPECT_EQ(target.error().status, http::status::bad_request);
    }
}

TEST(Query, DecodesNamesAndValues) {
    const QueryParameters parameters = query("extractionId=a%26b+c&x%20y=1&flag");
    EXPECT_EQ(parameters.find("extractionId"), "a&b c");
    EXPECT_EQ(parameters.find("x y"), "1");
    EXPECT_EQ(parameters.find("flag"), "");
    EXPECT_EQ(parameters.find("absent"), std::nullopt);
    EXPECT_EQ(query("").find("a"), std::nullopt);
}

TEST(Query, RefusesAParameterGivenTwice) {
    const auto result = parse_query("limit=1&a=2&li%6dit=3");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, "VALIDATION_ERROR");
    EXPECT_EQ(result.error().message, "limit: must not be given twice");
}

TEST(Query, RefusesBadPercentEncoding) {
    EXPECT_FALSE(parse_query("a=%g1"));
}

TEST(Query, ReadsNumbersWithinARange) {
    EXPECT_EQ(*query("limit=1").number("limit", 1, 100), 1);
    EXPECT_EQ(*query("limit=100").number("limit", 1, 100), 100);
    EXPECT_EQ(*query("").number("limit", 1, 100), std::nullopt);
    for (const char* text : {"limit=0", "limit=101", "limit=", "limit", "limit=+1", "limit=1.5", "limit=-1",
                             "limit=0x10", "limit=99999999999999999999", "limit=1%00"}) {
        const auto number = query(text).number("limit", 1, 100);
        ASSERT_FALSE(number) << text;
        EXPECT_EQ(number.error().message, "limit: must be a whole number from 1 to 100");
    }
}

TEST(Query, ReadsOneOfAFewWords) {
    EXPECT_EQ(*query("status=failed").one_of("status", {"success", "failed"}), 1U);
    EXPECT_EQ(*query("").one_of("status", {"success", "failed"}), std::nullopt);
    const auto result = query("status=Failed").one_of("status", {"success", "failed"});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "status: must be one of success, failed");
}

TEST(Query, ReadsTextThatTheDatabaseTakes) {
    EXPECT_EQ(*query("id=%ED%95%9C").text("id", 128), "\xED\x95\x9C");
    EXPECT_EQ(*query("").text("id", 128), std::nullopt);
    EXPECT_FALSE(query("id=").text("id", 128));
    EXPECT_FALSE(query("id=abcd").text("id", 3));
    EXPECT_FALSE(query("id=a%00b").text("id", 128));
    EXPECT_FALSE(query("id=%ff").text("id", 128));
}

} // namespace
} // namespace docmap::api
