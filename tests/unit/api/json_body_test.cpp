#include "api/json_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::api {
namespace {

std::string problem(std::string_view body) {
    const auto result = read_json_object(body);
    return result ? "" : result.error().message;
}

TEST(JsonBody, ReadsEveryKindOfValue) {
    const auto object = read_json_object(
        " {\"s\":\"a\\u00e9\\n\",\"i\":-1,\"u\":18446744073709551615,\"d\":1.5,\"b\":true,\"n\":null,"
        "\"a\":[1,{\"x\":2}],\"o\":{\"x\":{}}}\r\n");
    ASSERT_TRUE(object);
    EXPECT_EQ(object->at("s").as_string(), "a\xC3\xA9\n");
    EXPECT_EQ(object->at("i").as_int64(), -1);
    EXPECT_EQ(object->at("u").as_uint64(), 18446744073709551615ULL);
    EXPECT_EQ(object->at("d").as_double(), 1.5);
    EXPECT_TRUE(object->at("b").as_bool());
    EXPECT_TRUE(object->at("n").is_null());
    EXPECT_EQ(object->at("a").as_array().size(), 2U);
    EXPECT_TRUE(object->at("o").at("x").as_object().empty());
}

TEST(JsonBody, RefusesAFieldGivenTwice) {
    EXPECT_EQ(problem(R"({"url":"a","events":[],"url":"b"})"), "body: has the field \"url\" twice");
    EXPECT_EQ(problem(R"({"a":{"b":1,"\u0062":2}})"), "body: has the field \"b\" twice");
    EXPECT_EQ(problem(R"({"":1,"":1})"), "body: has the field \"\" twice");
    EXPECT_EQ(problem(R"({"a":{"b":1},"c":{"b":1},"b":[{"b":1},{"b":2}]})"), "");
}

TEST(JsonBody, SaysWhatIsWrong) {
    EXPECT_EQ(problem(""), "body: is empty; a JSON object is expected");
    EXPECT_EQ(problem("[]"), "body: must be a JSON object");
    EXPECT_EQ(problem("\"text\""), "body: must be a JSON object");
    EXPECT_EQ(problem("{} {}"), "body: has something behind the JSON object");
    for (const char* text :
         {"{", "{]", "{\"a\":}", "{'a':1}", "{\"a\":1,}", "{\"a\":\"\xff\"}", "nul", "// x\n{}"})
        EXPECT_TRUE(problem(text).starts_with("body: is not valid JSON: ")) << text << ": " << problem(text);
}

TEST(JsonBody, LimitsTheDepth) {
    const auto nested = [](std::size_t depth) {
        return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
    };
    EXPECT_EQ(problem(nested(max_json_depth)), "");
    EXPECT_EQ(problem(nested(max_json_depth + 1)), "body: is nested more than 16 deep");
    EXPECT_EQ(problem("{\"a\":" + std::string(60000, '[')), "body: is nested more than 16 deep");
}

TEST(JsonBody, KnowsItsContentType) {
    for (const char* text :
         {"application/json", "Application/JSON", "application/json; charset=utf-8",
          "application/json;charset=UTF-8", "application/json; charset=\"utf-8\"", "application/json;"})
        EXPECT_TRUE(is_json_content_type(text)) << text;
    for (const char* text : {"", "text/plain", "application/jsonp", "application/json; charset=latin1",
                             "application/x-www-form-urlencoded", "application/json, text/plain"})
        EXPECT_FALSE(is_json_content_type(text)) << text;
}

} // namespace
} // namespace docmap::api
