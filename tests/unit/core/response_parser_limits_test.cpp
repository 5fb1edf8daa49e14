#include "unit/core/response_outcome.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace docmap::core {
namespace {

using State = ResponseParser::State;

TEST(ResponseParser, EndsABodyThatLastsUntilTheConnectionCloses) {
    const Outcome outcome = parse(head("") + "some text", true);
    EXPECT_EQ(outcome.state, State::complete);
    EXPECT_EQ(outcome.status, 200U);
    EXPECT_FALSE(outcome.keep_alive);
    EXPECT_EQ(parse(head(""), true).state, State::complete);
}

TEST(ResponseParser, FailsWhereTheConnectionClosesTooEarly) {
    EXPECT_EQ(parse("", true).error, "Connection closed before a response came");
    EXPECT_EQ(parse("H", true).error, "Invalid HTTP response: the connection closed within the headers");
    EXPECT_EQ(parse(head("", "HTTP/1.1 100 Continue"), true).error,
              "Invalid HTTP response: the connection closed within the headers");
    const Outcome cut = parse(head("Content-Length: 5\r\n") + "hell", true);
    EXPECT_EQ(cut.error, "Invalid HTTP response: the connection closed within the body");
    EXPECT_EQ(cut.state, State::failed);
    EXPECT_TRUE(cut.head_complete);
    EXPECT_EQ(cut.status, 200U);
    EXPECT_EQ(parse(head("Transfer-Encoding: chunked\r\n") + "5\r\n", true).state, State::failed);
    EXPECT_EQ(parse("garbage", true).error, "Invalid HTTP response: it does not start with HTTP/1.1");
}

TEST(ResponseParser, ACloseBehindACompleteResponseOnlyEndsTheConnection) {
    const Outcome outcome = parse(nginx_response, true);
    EXPECT_EQ(outcome.state, State::complete);
    EXPECT_FALSE(outcome.keep_alive);
}

TEST(ResponseParser, LimitsTheBody) {
    constexpr std::size_t limit = ResponseParser::max_body_bytes;
    struct Case {
        std::string bytes;
        State state;
        bool limit_reached;
    };
    const std::string largest(limit, 'b');
    const std::string chunked = head("Transfer-Encoding: chunked\r\n");
    const std::vector<Case> cases = {
        {head("Content-Length: 65536\r\n") + largest, State::complete, false},
        {head("Content-Length: 65537\r\n"), State::complete, true},
        {head("Content-Length: 1073741824\r\n"), State::complete, true},
        {head("Content-Length: 99999999999999999999999999\r\n"), State::complete, true},
        {head("Content-Length: 18446744073709551616\r\n"), State::complete, true},
        {head("") + largest, State::body, false},
        {head("") + largest + "x", State::complete, true},
        {chunked + "fff0\r\n" + std::string(0xfff0, 'b') + "\r\n0\r\n", State::body, false},
        {chunked + "10000\r\n" + largest, State::complete, true},
        {chunked + "ffffffffffffffff\r\n" + largest, State::complete, true},
        {chunked + "1;" + std::string(70000, 'e'), State::complete, true},
        {chunked + "0\r\nTrailer: " + std::string(70000, 't'), State::complete, true},
    };
    for (const Case& expected : cases) {
        const Outcome outcome = parse(expected.bytes);
        const std::string start = expected.bytes.substr(0, 80);
        EXPECT_EQ(outcome.state, expected.state) << start;
        EXPECT_EQ(outcome.body_limit_reached, expected.limit_reached) << start;
        EXPECT_EQ(outcome.keep_alive, expected.state == State::complete && !expected.limit_reached) << start;
        EXPECT_EQ(parse_bytewise(expected.bytes), outcome) << start;
    }
}

TEST(ResponseParser, KeepsRetryAfter) {
    const auto retry_after = [](const std::string& fields) {
        return parse(head("Content-Length: 0\r\n" + fields, "HTTP/1.1 503 Busy")).retry_after;
    };
    EXPECT_EQ(retry_after(""), "");
    EXPECT_EQ(retry_after("Retry-After: 120\r\n"), "120");
    EXPECT_EQ(retry_after("retry-after:  Fri, 31 Dec 1999 23:59:59 GMT \r\n"),
              "Fri, 31 Dec 1999 23:59:59 GMT");
    EXPECT_EQ(retry_after("Retry-After: " + std::string(64, '1') + "\r\n"), std::string(64, '1'));
    EXPECT_EQ(retry_after("Retry-After: " + std::string(65, '1') + "\r\n"), "");
    EXPECT_EQ(retry_after("Retry-After: " + std::string(1000, '1') + "\r\n"), "");
    EXPECT_EQ(retry_after("Retry-After: 1\x01\r\n"), "");
    EXPECT_EQ(retry_after("Retry-After: 1\xc3\xa9\r\n"), "");
    EXPECT_EQ(retry_after("Retry-After: 1\r\nRetry-After: 2\r\n"), "2");
    EXPECT_EQ(parse(head("Retry-After: 5\r\n", "HTTP/1.1 100 Continue") + nginx_response).retry_after, "");
}

TEST(ResponseParser, KnowsHowLongThePeerKeepsTheConnection) {
    const auto idle_timeout = [](const std::string& value) {
        return parse(head("Content-Length: 0\r\nKeep-Alive: " + value + "\r\n")).idle_timeout;
    };
    EXPECT_EQ(idle_timeout("timeout=5"), std::chrono::seconds{5});
    EXPECT_EQ(idle_timeout("max=100, Timeout=75"), std::chrono::seconds{75});
    for (const char* value :
         {"", "timeout", "timeout=", "timeout=x", "timeout=-1", "timeout=99999999999", "max=5"})
        EXPECT_FALSE(idle_timeout(value)) << value;
    EXPECT_FALSE(parse(nginx_response).idle_timeout);
}

} // namespace
} // namespace docmap::core
