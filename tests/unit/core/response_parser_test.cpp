#include "unit/core/response_outcome.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace docmap::core {
namespace {

using State = ResponseParser::State;

struct Sample {
    std::string bytes;
    State state;
    unsigned status;
    bool keep_alive;
};

std::vector<Sample> samples() {
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    return {
        {nginx_response, State::complete, 200, true},
        {head("Content-Length: 5\r\n") + "hello", State::complete, 200, true},
        {head("content-length:5\r\n") + "hello", State::complete, 200, true},
        {head("CONTENT-LENGTH: \t 005 \t\r\n") + "hello", State::complete, 200, true},
        {head("Content-Length: 5\r\n") + "hell", State::body, 200, false},
        {head("Content-Length: 5\r\n") + "hello!", State::complete, 200, false},
        {std::string(nginx_response) + "x", State::complete, 200, false},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", State::complete, 200, true},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", State::complete, 200, true},
        {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", State::complete, 200, true},
        {"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", State::complete, 200, true},
        {"HTTP/1.1 299 \xc3\xa9\r\nContent-Length: 0\r\n\r\n", State::complete, 299, true},
        {head("", "HTTP/1.1 204 No Content"), State::complete, 204, true},
        {head("Content-Length: 9\r\n", "HTTP/1.1 204 No Content"), State::complete, 204, true},
        {head(chunked, "HTTP/1.1 304 Not Modified"), State::complete, 304, true},
        {head("Content-Length: 0\r\n", "HTTP/1.1 301 Moved"), State::complete, 301, true},
        {head("Content-Length: 0\r\n", "HTTP/1.1 999 ?"), State::complete, 999, true},
        {head("Content-Length: 0\r\nConnection: close\r\n"), State::complete, 200, false},
        {head("Content-Length: 0\r\nConnection: Keep-Alive, CLOSE\r\n"), State::complete, 200, false},
        {head("Content-Length: 0\r\nConnection: upgrade\r\nConnection: close\r\n"), State::complete, 200,
         false},
        {head("Content-Length: 0\r\nConnection:\r\n"), State::complete, 200, true},
        {head("Content-Length: 0\r\n", "HTTP/1.0 200 OK"), State::complete, 200, false},
        {head("Content-Length: 0\r\nConnection: keep-alive\r\n", "HTTP/1.0 200 OK"), State::complete, 200,
         true},
        {head("Content-Length: 0\r\nConnection: " + std::string(300, 'x') + "\r\n"), State::complete, 200,
         false},
        {head("Content-Length: 0\r\nX-Long: " + std::string(9000, 'x') + "\r\n"), State::complete, 200, true},
        {head("Content-Length: 0\r\nX-Odd: \x01\xff\r\n"), State::complete, 200, true},
        {head("Content-Length: 0\r\nX-" + std::string(400, 'x') + ": 1\r\n"), State::complete, 200, true},
        {head(chunked) + "5\r\nhello\r\n0\r\n\r\n", State::complete, 200, true},
        {head("transfer-encoding: gzip, Chunked\r\n") + "0\r\nTrailer: 1\r\n\r\n", State::complete, 200,
         true},
        {head("Transfer-Encoding: gzip\r\nTransfer-Encoding: ,chunked,\r\n") + "0\r\n\r\n", State::complete,
         200, true},
        {head(chunked) + "0\r\n\r\nx", State::complete, 200, false},
        {head(chunked) + "5\r\nhel", State::body, 200, false},
        {head(chunked + "Content-Length: 3\r\n") + "0\r\n\r\n", State::complete, 200, false},
        {head(chunked, "HTTP/1.0 200 OK") + "0\r\n\r\n", State::body, 200, false},
        {head("Transfer-Encoding: gzip\r\n") + "0\r\n\r\n", State::body, 200, false},
        {head("") + "until it closes", State::body, 200, false},
        {head("", "HTTP/1.1 100 Continue") + nginx_response, State::complete, 200, true},
        {head("Link: </x>\r\nConnection: close\r\nContent-Length: 7\r\n", "HTTP/1.1 103 Early Hints") +
             nginx_response,
         State::complete, 200, true},
        {"HTTP/1.1 200 OK\r\nContent-Le", State::head, 0, false},
    };
}

struct Failure {
    std::string bytes;
    std::string_view error;
};

std::vector<Failure> failures() {
    std::string interim;
    for (unsigned i = 0; i <= ResponseParser::max_interim_responses; ++i)
        interim += head("", "HTTP/1.1 102 Processing");
    return {
        {"x", "it does not start with HTTP/1.1"},
        {"HTTQ", "it does not start with HTTP/1.1"},
        {"\r\nHTTP/1.1 200 OK\r\n", "it does not start with HTTP/1.1"},
        {"HTT\n", "it does not start with HTTP/1.1"},
        {"SSH-2.0-OpenSSH\r\n", "it does not start with HTTP/1.1"},
        {std::string(20000, 'x'), "it does not start with HTTP/1.1"},
        {std::string("\x15\x03\x01\x00\x02", 5), "it does not start with HTTP/1.1"},
        {"HTTP/\r\n", "the status line is malformed"},
        {"HTTP/1\r\n", "the status line is malformed"},
        {"HTTP/x.1 200 OK\r\n", "the status line is malformed"},
        {"HTTP/1.x 200 OK\r\n", "the status line is malformed"},
        {"HTTP/1.1\t200 OK\r\n", "the status line is malformed"},
        {"HTTP/1.10 200 OK\r\n", "the status line is malformed"},
        {"HTTP/2 200 OK\r\n", "the status line is malformed"},
        {"HTTP/2.0 200 OK\r\n", "the HTTP version is not 1.0 or 1.1"},
        {"HTTP/0.9 200 OK\r\n", "the HTTP version is not 1.0 or 1.1"},
        {"HTTP/1.1 \r\n", "the status is not a number from 100 to 999"},
        {"HTTP/1.1 20\r\n", "the status is not a number from 100 to 999"},
        {"HTTP/1.1 2000 OK\r\n", "the status is not a number from 100 to 999"},
        {"HTTP/1.1 099 OK\r\n", "the status is not a number from 100 to 999"},
        {"HTTP/1.1  200 OK\r\n", "the status is not a number from 100 to 999"},
        {"HTTP/1.1 2x0 OK\r\n", "the status is not a number from 100 to 999"},
        {"HTTP/1.1 -20 OK\r\n", "the status is not a number from 100 to 999"},
        {head("no colon\r\n"), "a header has no valid name"},
        {head("nocolon\r\n"), "a header has no valid name"},
        {head(": value\r\n"), "a header has no valid name"},
        {head("Content-Length : 5\r\n"), "a header has no valid name"},
        {head("N\xc3\xa9: 5\r\n"), "a header has no valid name"},
        {head(std::string("A\0B: 5\r\n", 8)), "a header has no valid name"},
        {head("\r\r\n"), "a header has no valid name"},
        {head("X: " + std::string(10, 'x') + "\r\n folded\r\n"), "a header is folded over two lines"},
        {head("\tfolded: 1\r\n"), "a header is folded over two lines"},
        {head("Content-Length: 5\r\nContent-Length: 5\r\n"), "Content-Length is there twice"},
        {head("Content-Length: 5\r\nContent-Length: 6\r\n"), "Content-Length is there twice"},
        {head("Content-Length:\r\n"), "Content-Length is not a number"},
        {head("Content-Length: -1\r\n"), "Content-Length is not a number"},
        {head("Content-Length: +1\r\n"), "Content-Length is not a number"},
        {head("Content-Length: 0x10\r\n"), "Content-Length is not a number"},
        {head("Content-Length: 1 2\r\n"), "Content-Length is not a number"},
        {head("Content-Length: 5, 5\r\n"), "Content-Length is not a number"},
        {head("Content-Length: " + std::string(300, '0') + "\r\n"),
         "Content-Length or Transfer-Encoding is longer than 256 bytes"},
        {head("Transfer-Encoding: " + std::string(300, 'x') + "\r\n"),
         "Content-Length or Transfer-Encoding is longer than 256 bytes"},
        {head("Transfer-Encoding: chunked, gzip\r\n"), "chunked is not the last transfer coding"},
        {head("Transfer-Encoding: chunked, chunked\r\n"), "chunked is not the last transfer coding"},
        {head("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"),
         "chunked is not the last transfer coding"},
        {head("", "HTTP/1.1 101 Switching Protocols"), "101 Switching Protocols, which was not asked for"},
        {interim + nginx_response, "more than 8 interim responses (1xx)"},
        {head("X: " + std::string(ResponseParser::max_head_bytes, 'x') + "\r\n"),
         "the headers are larger than 16 KiB"},
        {head(std::string(1000, 'a') + ": 1\r\n" + std::string(16000, 'b')),
         "the headers are larger than 16 KiB"},
        {head("Transfer-Encoding: chunked\r\n") + "zz\r\n", "a chunk has no size"},
    };
}

TEST(ResponseParser, ReadsResponses) {
    for (const Sample& expected : samples()) {
        const Outcome outcome = parse(expected.bytes);
        EXPECT_EQ(outcome.state, expected.state) << expected.bytes;
        EXPECT_EQ(outcome.status, expected.status) << expected.bytes;
        EXPECT_EQ(outcome.keep_alive, expected.keep_alive) << expected.bytes;
        EXPECT_EQ(outcome.error, "") << expected.bytes;
        EXPECT_FALSE(outcome.body_limit_reached) << expected.bytes;
    }
}

TEST(ResponseParser, SaysWhatIsInvalid) {
    for (const Failure& expected : failures()) {
        const Outcome outcome = parse(expected.bytes);
        EXPECT_EQ(outcome.state, State::failed) << expected.bytes;
        EXPECT_EQ(outcome.error, "Invalid HTTP response: " + std::string(expected.error)) << expected.bytes;
        EXPECT_FALSE(outcome.keep_alive);
    }
}

TEST(ResponseParser, ReadsTheSameHoweverTheBytesAreSplit) {
    std::vector<std::string> inputs;
    for (const Sample& sample : samples())
        inputs.push_back(sample.bytes);
    for (const Failure& failure : failures())
        inputs.push_back(failure.bytes);
    for (const std::string& bytes : inputs) {
        const Outcome whole = parse(bytes);
        EXPECT_EQ(parse_bytewise(bytes), whole) << bytes;
        for (std::size_t split = 0; split <= bytes.size(); split += bytes.size() > 2000 ? 97 : 1) {
            ResponseParser parser;
            parser.feed(std::string_view(bytes).substr(0, split));
            parser.feed(std::string_view(bytes).substr(split));
            ASSERT_EQ(outcome_of(parser), whole) << "split at " << split << " of " << bytes;
        }
    }
}

TEST(ResponseParser, TellsTheStatesApart) {
    ResponseParser parser;
    EXPECT_TRUE(parser.untouched());
    EXPECT_EQ(parser.feed(""), State::head);
    EXPECT_TRUE(parser.untouched());
    EXPECT_EQ(parser.feed("HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n"), State::head);
    EXPECT_FALSE(parser.untouched());
    EXPECT_FALSE(parser.head_complete());
    EXPECT_EQ(parser.feed("Content-Length: 4\r\n\r\n"), State::body);
    EXPECT_TRUE(parser.head_complete());
    EXPECT_EQ(parser.status(), 503);
    EXPECT_EQ(parser.retry_after(), "120");
    EXPECT_FALSE(parser.keep_alive());
    EXPECT_EQ(parser.feed("body"), State::complete);
    EXPECT_TRUE(parser.keep_alive());
    EXPECT_EQ(parser.feed(""), State::complete);
    EXPECT_TRUE(parser.keep_alive());
    EXPECT_EQ(parser.feed("H"), State::complete);
    EXPECT_FALSE(parser.keep_alive());
}

TEST(ResponseParser, StartsAfreshWhenReset) {
    for (const Failure& failure : failures()) {
        ResponseParser parser;
        parser.feed(failure.bytes);
        parser.reset();
        EXPECT_EQ(outcome_of(parser), outcome_of(ResponseParser{}));
        parser.feed(nginx_response);
        EXPECT_EQ(outcome_of(parser), parse(nginx_response)) << failure.bytes;
    }
    for (const Sample& sample : samples()) {
        ResponseParser parser;
        parser.feed(head(
            "Retry-After: 1\r\nKeep-Alive: timeout=1\r\nContent-Length: 99999999\r\nConnection: close\r\n"));
        parser.reset();
        parser.feed(sample.bytes);
        EXPECT_EQ(outcome_of(parser), parse(sample.bytes)) << sample.bytes;
    }
}

TEST(ResponseParser, KnowsTheFieldsThatCountFromOthersOfTheirLength) {
    const Outcome outcome =
        parse(head("Connectiom: close\r\nKeep-Alife: timeout=5\r\nRetry-Aftex: 5\r\n"
                   "Content-Lengtx: 7\r\nTransfer-Encodinx: chunked\r\nContent-Length: 0\r\n"));
    EXPECT_EQ(outcome.state, State::complete);
    EXPECT_TRUE(outcome.keep_alive);
    EXPECT_FALSE(outcome.idle_timeout);
    EXPECT_EQ(outcome.retry_after, "");
}

/// Damaged responses, in random pieces: the outcome is that of the whole, and every failure has a reason.
TEST(ResponseParser, AnswersToDamagedResponses) {
    std::vector<std::string> seeds;
    for (const Sample& sample : samples())
        if (sample.bytes.size() < 500) seeds.push_back(sample.bytes);
    std::mt19937 random(5);
    for (int round = 0; round < 30000; ++round) {
        std::string bytes = seeds[random() % seeds.size()];
        for (auto changes = random() % 4; changes > 0 && !bytes.empty(); --changes) {
            const std::size_t position = random() % bytes.size();
            switch (random() % 4) {
            case 0:
                bytes[position] = static_cast<char>(random());
                break;
            case 1:
                bytes.insert(position, "\r\n: ,0;5"[random() % 8] + std::string(random() % 2, '\n'));
                break;
            case 2:
                bytes.erase(position, random() % 8);
                break;
            default:
                bytes.insert(position, bytes.substr(random() % bytes.size(), random() % 30));
                break;
            }
        }
        const Outcome whole = parse(bytes);
        ResponseParser parser;
        for (std::size_t position = 0; position < bytes.size();) {
            const std::size_t size = 1 + random() % 20;
            parser.feed(std::string_view(bytes).substr(position, size));
            position += size;
        }
        ASSERT_EQ(outcome_of(parser), whole) << bytes;
        EXPECT_EQ(whole.state == State::failed, !whole.error.empty());
        EXPECT_FALSE(whole.keep_alive && whole.state != State::complete);
    }
}

} // namespace
} // namespace docmap::core
