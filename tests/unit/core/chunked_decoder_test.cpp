#include "core/chunked_decoder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace docmap::core {
namespace {

TEST(ChunkedDecoder, FindsTheEndOfABody) {
    for (const std::string& body : {
             std::string("0\r\n\r\n"),
             std::string("000\r\n\r\n"),
             std::string("5\r\nhello\r\n0\r\n\r\n"),
             std::string("a\r\n0123456789\r\nF\r\n\r\n\r\n0123456789a\r\n0\r\n\r\n"),
             std::string("5;name=value;q=\"a;b\"\r\nhello\r\n0;last\r\n\r\n"),
             std::string("5  \r\nhello\r\n0\t\r\n\r\n"),
             std::string("1\r\n\n\r\n0\r\nX-Checksum: 1\r\nExpires: never\r\n\r\n"),
             std::string("000000000000000000000001\r\nx\r\n0\r\n\r\n"),
         }) {
        ChunkedDecoder decoder;
        EXPECT_EQ(decoder.feed(body + "HTTP/1.1"), body.size()) << body;
        EXPECT_TRUE(decoder.complete()) << body;
        EXPECT_EQ(decoder.error(), "") << body;
        EXPECT_EQ(decoder.feed("more"), 0U);
    }
}

TEST(ChunkedDecoder, NeedsEveryByte) {
    const std::string body = "5;x\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size < body.size(); ++size) {
        ChunkedDecoder decoder;
        EXPECT_EQ(decoder.feed(body.substr(0, size)), size);
        EXPECT_FALSE(decoder.complete()) << size;
        EXPECT_EQ(decoder.error(), "") << size;
        EXPECT_EQ(decoder.feed(body.substr(size)), body.size() - size);
        EXPECT_TRUE(decoder.complete()) << size;
    }
}

struct BrokenBody {
    std::string_view body;
    std::string_view error;
};

TEST(ChunkedDecoder, SaysWhatIsWrong) {
    const std::array cases = {
        BrokenBody{"\r\n", "Invalid HTTP response: a chunk has no size"},
        BrokenBody{";x\r\n", "Invalid HTTP response: a chunk has no size"},
        BrokenBody{"-1\r\n", "Invalid HTTP response: a chunk has no size"},
        BrokenBody{"g\r\n", "Invalid HTTP response: a chunk has no size"},
        BrokenBody{"5x\r\n", "Invalid HTTP response: a chunk size is not a hexadecimal number"},
        BrokenBody{"5\nhello", "Invalid HTTP response: a chunk size is not a hexadecimal number"},
        BrokenBody{"5;a\nhello", "Invalid HTTP response: the line of a chunk size does not end in CR LF"},
        BrokenBody{"5\rhello", "Invalid HTTP response: a chunk does not end in CR LF"},
        BrokenBody{"5\r\nhello!", "Invalid HTTP response: a chunk does not end in CR LF"},
        BrokenBody{"5\r\nhello\n", "Invalid HTTP response: a chunk does not end in CR LF"},
        BrokenBody{"5\r\nhello\r\r", "Invalid HTTP response: a chunk does not end in CR LF"},
        BrokenBody{"0\r\n\n", "Invalid HTTP response: a trailer line does not end in CR LF"},
        BrokenBody{"0\r\nA: b\n", "Invalid HTTP response: a trailer line does not end in CR LF"},
        BrokenBody{"0\r\nA: b\rc", "Invalid HTTP response: a chunk does not end in CR LF"},
        BrokenBody{"0\r\n\rx", "Invalid HTTP response: a chunk does not end in CR LF"},
        BrokenBody{"10000000000000000\r\n", "Invalid HTTP response: a chunk size is out of range"},
    };
    for (const BrokenBody& expected : cases) {
        ChunkedDecoder decoder;
        decoder.feed(expected.body);
        EXPECT_FALSE(decoder.complete()) << expected.body;
        EXPECT_EQ(decoder.error(), expected.error) << expected.body;
        EXPECT_EQ(decoder.feed("0\r\n\r\n"), 0U) << expected.body;
    }
}

TEST(ChunkedDecoder, TakesTheLargestSize) {
    ChunkedDecoder decoder;
    EXPECT_EQ(decoder.feed("ffffffffffffffff\r\nabc"), 21U);
    EXPECT_FALSE(decoder.complete());
    EXPECT_EQ(decoder.error(), "");
}

TEST(ChunkedDecoder, RandomBytesNeverBreakIt) {
    std::mt19937 random(7);
    constexpr std::string_view alphabet = "0015aF;\r\r\n\nx \t";
    for (int round = 0; round < 20000; ++round) {
        std::string body;
        for (auto size = random() % 40; size > 0; --size)
            body += alphabet[random() % alphabet.size()];
        ChunkedDecoder whole;
        const std::size_t taken = whole.feed(body);
        EXPECT_LE(taken, body.size());
        ChunkedDecoder bytewise;
        std::size_t taken_bytewise = 0;
        for (const char byte : body)
            taken_bytewise += bytewise.feed({&byte, 1});
        EXPECT_EQ(taken_bytewise, taken);
        EXPECT_EQ(bytewise.complete(), whole.complete());
        EXPECT_EQ(bytewise.error(), whole.error());
    }
}

} // namespace
} // namespace docmap::core
