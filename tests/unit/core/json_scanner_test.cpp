#include "core/json_scanner.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace docmap::core {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

std::optional<JsonFault> scan(std::string_view text, std::size_t max_depth = 64, Members* members = nullptr) {
    return scan_json(text, max_depth, [&](std::string_view name, std::string_view value) {
        if (members != nullptr) members->emplace_back(name, value);
    });
}

Members members_of(std::string_view text) {
    Members members;
    EXPECT_FALSE(scan(text, 64, &members)) << text;
    return members;
}

TEST(JsonScanner, TakesWhatIsJson) {
    for (const std::string_view text : {"{}",
                                        "[]",
                                        "null",
                                        "true",
                                        "false",
                                        "0",
                                        "-0",
                                        "-0.0e+00",
                                        "12.5E-3",
                                        "1e400",
                                        "-1e99999999999",
                                        "123456789012345678901234567890",
                                        "0.1234567890123456789012345678901234567890",
                                        "\"\"",
                                        " \t\r\n1 \t\r\n",
                                        R"("\"\\\/\b\f\n\r\t\u00e9")",
                                        R"("\ud800")",
                                        R"("\udc00\ud800")",
                                        R"("\u0000")",
                                        R"([1,[2,[]],{"a":{}}])",
                                        R"({"a":1,"a":2})",
                                        R"( { "a" : [ 1 , 2 ] , "b" : { "c" : null } } )",
                                        "\"\xc3\xa9\x7f\""})
        EXPECT_FALSE(scan(text)) << text;
}

struct Broken {
    std::string text;
    std::size_t offset;
    std::string_view problem;
};

TEST(JsonScanner, SaysWhereAndHowAGrammarIsBroken) {
    const std::vector<Broken> cases = {
        {"", 0, "the value is empty"},
        {" \n", 2, "the value is empty"},
        {"{} x", 3, "something follows the JSON value"},
        {"{}{}", 2, "something follows the JSON value"},
        {"01", 1, "something follows the JSON value"},
        {"nul", 0, "a value is missing"},
        {"True", 0, "a value is missing"},
        {"tru", 0, "a value is missing"},
        {"nullx", 4, "something follows the JSON value"},
        {"NaN", 0, "a value is missing"},
        {"-", 1, "a value is missing"},
        {"-Infinity", 1, "a value is missing"},
        {"+1", 0, "a value is missing"},
        {".5", 0, "a value is missing"},
        {"1.", 2, "a number has no digit after its point"},
        {"1.e3", 2, "a number has no digit after its point"},
        {"1e", 2, "a number has no digit in its exponent"},
        {"1e+", 3, "a number has no digit in its exponent"},
        {"[", 1, "a value is missing"},
        {"[1", 2, "a comma or ] is missing"},
        {"[1,", 3, "a value is missing"},
        {"[1,]", 3, "a value is missing"},
        {"[,1]", 1, "a value is missing"},
        {"[1 2]", 3, "a comma or ] is missing"},
        {"[1}", 2, "a comma or ] is missing"},
        {"{\"a\":1", 6, "a comma or } is missing"},
        {"{\"a\":1]", 6, "a comma or } is missing"},
        {"{\"a\":1,}", 7, "a member name in quotes is missing"},
        {"{", 1, "a member name in quotes is missing"},
        {"{a:1}", 1, "a member name in quotes is missing"},
        {"{'a':1}", 1, "a member name in quotes is missing"},
        {"{1:1}", 1, "a member name in quotes is missing"},
        {"{\"a\" 1}", 5, "a colon is missing"},
        {"{\"a\"", 4, "a colon is missing"},
        {"{\"a", 3, "a string does not end"},
        {"{\"a\":}", 5, "a value is missing"},
        {"\"", 1, "a string does not end"},
        {"\"abc", 4, "a string does not end"},
        {"\"a\\", 3, "an escape in a string is unknown"},
        {"\"\\x41\"", 2, "an escape in a string is unknown"},
        {"\"\\u12g4\"", 5, "\\u is not followed by four hexadecimal digits"},
        {"\"\\u12", 5, "\\u is not followed by four hexadecimal digits"},
        {"\"a\nb\"", 2, "a control character stands in a string"},
        {std::string("\"a\0b\"", 5), 2, "a control character stands in a string"},
        {std::string("\"\\\0\"", 4), 2, "an escape in a string is unknown"},
        {std::string("{}\0", 3), 2, "something follows the JSON value"},
        {"/* c */ 1", 0, "a value is missing"},
        {"\xEF\xBB\xBF{}", 0, "a value is missing"},
    };
    for (const Broken& expected : cases) {
        const auto fault = scan(expected.text);
        ASSERT_TRUE(fault) << expected.text;
        EXPECT_EQ(fault->problem, expected.problem) << expected.text;
        EXPECT_EQ(fault->offset, expected.offset) << expected.text;
    }
}

TEST(JsonScanner, LimitsDepth) {
    EXPECT_FALSE(scan("[[1]]", 2));
    EXPECT_FALSE(scan("[[[]]]", 2));
    EXPECT_EQ(scan("[[[1]]]", 2)->problem, "arrays and objects are nested too deeply");
    EXPECT_EQ(scan(R"({"a":{"b":{"c":1}}})", 2)->problem, "arrays and objects are nested too deeply");
    EXPECT_EQ(scan(std::string(1000000, '['), 512)->problem, "arrays and objects are nested too deeply");
}

TEST(JsonScanner, ReportsTheMembersAtTheTopAsTheyStand) {
    EXPECT_EQ(members_of("{}"), Members{});
    EXPECT_EQ(members_of(R"([{"a":1}])"), Members{});
    EXPECT_EQ(members_of(R"("a")"), Members{});
    EXPECT_EQ(members_of(R"({"a":1})"), (Members{{R"("a")", "1"}}));
    EXPECT_EQ(members_of(R"( { "a" : "x" , "b\n" : [ 1 , {"c":2} ] ,"d":{"e":{}}, "a":null } )"),
              (Members{{R"("a")", R"("x")"},
                       {R"("b\n")", R"([ 1 , {"c":2} ])"},
                       {R"("d")", R"({"e":{}})"},
                       {R"("a")", "null"}}));
    EXPECT_EQ(members_of(R"({"a":{},"b":[],"c":{"b":1}})"),
              (Members{{R"("a")", "{}"}, {R"("b")", "[]"}, {R"("c")", R"({"b":1})"}}));
}

bool boost_takes(const std::string& text) {
    boost::json::parse_options options;
    options.max_depth = 64;
    boost::system::error_code error;
    boost::json::parse(text, error, {}, options);
    return !error;
}

/// Damages valid documents at random. Boost.JSON must agree, and simdjson must take nothing that is refused
/// here.
TEST(JsonScanner, AgreesWithOtherParsersOnDamagedDocuments) {
    const std::array<std::string, 3> documents = {
        R"({"event":"extraction.failed","id":"u1","data":{"n":[1,-2.5e3,true,null,{"x":[]}],"s":"\n\"b"}})",
        R"([0,1.5,"",{"a":{"b":{}}},[[[]]],false])", R"("text \\ \/ \t")"};
    constexpr std::string_view replacements = "{}[]\",:0123456789.-+eE\\ntf u/\n\t";
    std::mt19937 random(3);
    simdjson::dom::parser parser;
    for (int round = 0; round < 60000; ++round) {
        std::string text = documents[random() % documents.size()];
        for (auto changes = random() % 3; changes > 0; --changes) {
            const std::size_t position = random() % text.size();
            const char replacement = replacements[random() % replacements.size()];
            switch (random() % 4) {
            case 0:
                text[position] = replacement;
                break;
            case 1:
                text.insert(position, 1, replacement);
                break;
            case 2:
                text.erase(position, 1 + random() % 3);
                break;
            default:
                text.resize(position + 1);
                break;
            }
        }
        const auto fault = scan(text);
        EXPECT_EQ(!fault, boost_takes(text)) << text << ": " << (fault ? fault->problem : "taken");
        if (!fault) continue;
        EXPECT_NE(parser.parse(text).error(), simdjson::SUCCESS) << text;
        EXPECT_LE(fault->offset, text.size());
    }
}

} // namespace
} // namespace docmap::core
