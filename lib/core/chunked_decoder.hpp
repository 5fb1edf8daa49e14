// Finds the end of a body in chunked transfer coding (RFC 9112, section 7.1), wherever its bytes are split.
// What is in the chunks is skipped, extensions and trailers are too. Allocates nothing. Owned by a
// ResponseParser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace docmap::core {

class ChunkedDecoder {
  public:
    /// Takes the next bytes; returns how many belong to the body. All of them, unless it ends or breaks.
    std::size_t feed(std::string_view bytes);

    /// The last chunk and the trailers are through.
    bool complete() const { return state_ == State::complete; }

    /// `Invalid HTTP response: …`, what is wrong with the coding; empty where nothing is.
    std::string_view error() const { return error_; }

  private:
    enum class State : std::uint8_t {
        size_start,
        size,
        extension,
        size_line_feed,
        data,
        data_carriage_return,
        data_line_feed,
        trailer_start,
        trailer,
        trailer_line_feed,
        last_line_feed,
        complete,
        failed,
    };

    void step(char byte);
    void on_size_digit(char byte);
    void on_size_end(char byte);
    void expect(char byte, char wanted, State next);
    void fail(std::string_view error);

    std::string_view error_;
    std::uint64_t chunk_left_ = 0;
    State state_ = State::size_start;
};

} // namespace docmap::core
