// Reads one HTTP/1.1 response as far as a webhook delivery needs it (RFC 9112): status, framing, whether the
// connection may be used again, Retry-After. Incremental: the result does not depend on how the bytes are
// split. Allocates nothing and keeps no body. Lives on the thread of its connection, which owns it and resets
// it per request.
#pragma once

#include "core/chunked_decoder.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace docmap::core {

class ResponseParser {
  public:
    enum class State : std::uint8_t {
        head,     ///< status line or headers are not complete
        body,     ///< the head is complete, the body is not
        complete, ///< nothing more has to be read
        failed,   ///< see error(); the connection must be closed
    };

    static constexpr std::size_t max_head_bytes =
        16 * 1024; ///< status line and headers, interim responses included
    static constexpr std::size_t max_body_bytes =
        64 * 1024; ///< as transferred: chunk sizes and trailers included
    static constexpr unsigned max_interim_responses = 8;
    static constexpr std::size_t max_retry_after_size = 64;

    /// Makes ready for the next response on the connection.
    void reset();

    /// Takes the next bytes received, all of them. After bytes behind the end, the connection is not
    /// reusable.
    State feed(std::string_view bytes);

    /// The peer closed its side: ends a body that lasts until then, else fails.
    State end_of_stream();

    State state() const { return state_; }

    /// Whether the final status and its headers are known. Stays true where the body fails later.
    bool head_complete() const { return head_complete_; }
    /// 100–999; valid once the head is complete.
    std::uint16_t status() const { return status_; }

    /// The response is complete, and the connection can carry another request (RFC 9112, section 9.3).
    bool keep_alive() const { return state_ == State::complete && keep_alive_; }
    /// How long the peer keeps an idle connection, where it says so (`Keep-Alive: timeout=5`).
    std::optional<std::chrono::seconds> idle_timeout() const { return idle_timeout_; }

    /// The body is longer than max_body_bytes: the rest goes with the connection.
    bool body_limit_reached() const { return body_limit_reached_; }

    /// The value of Retry-After; empty where absent, longer than 64 characters or not printable.
    std::string_view retry_after() const { return {retry_after_.data(), retry_after_size_}; }

    /// `Invalid HTTP response: …` or how the connection closed, one readable line; empty unless failed.
    std::string_view error() const { return error_; }

    /// Whether not one byte of a response has come.
    bool untouched() const { return head_bytes_ == 0; }

  private:
    enum class Framing : std::uint8_t { length, chunked, until_close };

    std::size_t take_line(std::string_view bytes);
    void on_line(std::string_view line, bool cut);
    void on_status_line(std::string_view line);
    void on_field(std::string_view line, bool cut);
    void on_long_field(std::string_view name);
    void on_known_field(std::string_view name, std::string_view value);
    void on_content_length(std::string_view value);
    void on_transfer_encoding(std::string_view value);
    void on_connection(std::string_view value);
    void on_keep_alive(std::string_view value);
    void on_retry_after(std::string_view value);
    void on_head_end();
    void begin_message();
    void begin_body();
    std::size_t take_body(std::string_view bytes);
    void complete();
    void fail(std::string_view error);

    /// Only this much of a line is looked at: more than any field that counts needs.
    static constexpr std::size_t line_capacity = 256;

    std::string_view error_;
    std::size_t head_bytes_ = 0;
    std::size_t line_bytes_ = 0; ///< of the line that is not complete yet
    std::size_t body_bytes_ = 0;
    std::uint64_t content_length_ = 0;
    std::optional<std::chrono::seconds> idle_timeout_;
    ChunkedDecoder chunked_;
    unsigned interim_responses_ = 0;
    std::uint16_t status_ = 0;
    State state_ = State::head;
    Framing framing_ = Framing::until_close;
    bool has_status_ = false;
    bool head_complete_ = false;
    bool minor_version_is_zero_ = false;
    bool has_content_length_ = false;
    bool has_transfer_encoding_ = false;
    bool last_coding_is_chunked_ = false;
    bool says_close_ = false;
    bool says_keep_alive_ = false;
    bool keep_alive_ = false;
    bool body_limit_reached_ = false;
    std::size_t retry_after_size_ = 0;
    std::array<char, max_retry_after_size> retry_after_;
    std::array<char, line_capacity> line_;
};

} // namespace docmap::core
