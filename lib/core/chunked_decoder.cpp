#include "core/chunked_decoder.hpp"

#include <algorithm>
#include <optional>

namespace docmap::core {

namespace {

/// The largest size that can take one more hex digit.
constexpr std::uint64_t max_extensible_size = UINT64_MAX >> 4U;

std::optional<unsigned> hex_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
    return std::nullopt;
}

} // namespace

std::size_t ChunkedDecoder::feed(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size() && state_ != State::complete && state_ != State::failed) {
        if (state_ != State::data) {
            step(bytes[taken++]);
            continue;
        }
        const auto skipped = std::min<std::uint64_t>(chunk_left_, bytes.size() - taken);
        taken += static_cast<std::size_t>(skipped);
        chunk_left_ -= skipped;
        if (chunk_left_ == 0) state_ = State::data_carriage_return;
    }
    return taken;
}

void ChunkedDecoder::step(char byte) {
    switch (state_) {
    case State::size_start:
        if (!hex_value(byte)) return fail("Invalid HTTP response: a chunk has no size");
        chunk_left_ = 0;
        state_ = State::size;
        return on_size_digit(byte);
    case State::size:
        if (hex_value(byte)) return on_size_digit(byte);
        return on_size_end(byte);
    case State::extension:
        if (byte == '\r') state_ = State::size_line_feed;
        if (byte == '\n') fail("Invalid HTTP response: the line of a chunk size does not end in CR LF");
        return;
    case State::size_line_feed:
        return expect(byte, '\n', chunk_left_ == 0 ? State::trailer_start : State::data);
    case State::data_carriage_return:
        return expect(byte, '\r', State::data_line_feed);
    case State::data_line_feed:
        return expect(byte, '\n', State::size_start);
    case State::trailer_start:
        state_ = byte == '\r' ? State::last_line_feed : State::trailer;
        if (byte == '\n') fail("Invalid HTTP response: a trailer line does not end in CR LF");
        return;
    case State::trailer:
        if (byte == '\r') state_ = State::trailer_line_feed;
        if (byte == '\n') fail("Invalid HTTP response: a trailer line does not end in CR LF");
        return;
    case State::trailer_line_feed:
        return expect(byte, '\n', State::trailer_start);
    case State::last_line_feed:
        return expect(byte, '\n', State::complete);
    case State::data:
    case State::complete:
    case State::failed:
        return;
    }
}

void ChunkedDecoder::on_size_digit(char byte) {
    if (chunk_left_ > max_extensible_size) return fail("Invalid HTTP response: a chunk size is out of range");
    chunk_left_ = chunk_left_ << 4U | *hex_value(byte);
}

void ChunkedDecoder::on_size_end(char byte) {
    // Some servers pad the size with spaces; they are let through like an extension.
    if (byte == ';' || byte == ' ' || byte == '\t')
        state_ = State::extension;
    else if (byte == '\r')
        state_ = State::size_line_feed;
    else
        fail("Invalid HTTP response: a chunk size is not a hexadecimal number");
}

void ChunkedDecoder::expect(char byte, char wanted, State next) {
    if (byte == wanted)
        state_ = next;
    else
        fail("Invalid HTTP response: a chunk does not end in CR LF");
}

void ChunkedDecoder::fail(std::string_view error) {
    error_ = error;
    state_ = State::failed;
}

} // namespace docmap::core
