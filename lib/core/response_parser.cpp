#include "core/response_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace docmap::core {

namespace {

constexpr std::string_view protocol_name = "HTTP/";
constexpr std::uint16_t switching_protocols = 101;
constexpr std::uint16_t no_content = 204;
constexpr std::uint16_t not_modified = 304;

/// Longer lengths than 18 digits, which fit 64 bits, mean the same here: far too long.
constexpr std::size_t max_length_digits = 18;

// Function objects, not functions: algorithms then need no call per character.
constexpr auto is_digit = [](char c) { return c >= '0' && c <= '9'; };

/// Characters of a field name (RFC 9110, section 5.6.2: token).
constexpr std::array<bool, 256> token_characters = [] {
    std::array<bool, 256> table{};
    for (const char c :
         std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

constexpr auto is_token_character = [](char c) { return token_characters[static_cast<unsigned char>(c)]; };

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// `lower_case` is in lower case already.
bool equals(std::string_view text, std::string_view lower_case) {
    return text.size() == lower_case.size() && std::equal(text.begin(), text.end(), lower_case.begin(),
                                                          [](char a, char b) { return lower(a) == b; });
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// Whether a line can be a status line, given the part of it that starts at `position`.
bool continues_protocol_name(std::string_view part, std::size_t position) {
    const std::string_view wanted =
        protocol_name.substr(std::min(position, protocol_name.size()), part.size());
    return part.starts_with(wanted);
}

/// Takes the next element off a comma-separated list (RFC 9110, section 5.6.1).
std::string_view take_element(std::string_view& list) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    return element;
}

} // namespace

void ResponseParser::reset() {
    error_ = {};
    head_bytes_ = 0;
    line_bytes_ = 0;
    body_bytes_ = 0;
    interim_responses_ = 0;
    state_ = State::head;
    head_complete_ = false;
    keep_alive_ = false;
    body_limit_reached_ = false;
    begin_message();
}

void ResponseParser::begin_message() {
    status_ = 0;
    content_length_ = 0;
    idle_timeout_.reset();
    retry_after_size_ = 0;
    has_status_ = false;
    has_content_length_ = false;
    has_transfer_encoding_ = false;
    last_coding_is_chunked_ = false;
    says_close_ = false;
    says_keep_alive_ = false;
}

ResponseParser::State ResponseParser::feed(std::string_view bytes) {
    while (state_ == State::head && !bytes.empty())
        bytes.remove_prefix(take_line(bytes));
    if (state_ == State::body) bytes.remove_prefix(take_body(bytes));
    if (!bytes.empty()) keep_alive_ = false;
    return state_;
}

ResponseParser::State ResponseParser::end_of_stream() {
    keep_alive_ = false;
    if (state_ == State::body && framing_ == Framing::until_close)
        complete();
    else if (state_ == State::body)
        fail("Invalid HTTP response: the connection closed within the body");
    else if (untouched())
        fail("Connection closed before a response came");
    else if (state_ == State::head)
        fail("Invalid HTTP response: the connection closed within the headers");
    return state_;
}

/// Takes a line, or the part of it that has come, and returns its size.
std::size_t ResponseParser::take_line(std::string_view bytes) {
    const void* const line_feed = std::memchr(bytes.data(), '\n', bytes.size());
    const std::size_t size =
        line_feed == nullptr ? bytes.size()
                             : static_cast<std::size_t>(static_cast<const char*>(line_feed) - bytes.data());
    const std::size_t taken = line_feed == nullptr ? size : size + 1;
    head_bytes_ += taken;
    // Checked before the line is complete: a peer that speaks another protocol may never end it.
    if (!has_status_ && !continues_protocol_name(bytes.substr(0, taken), line_bytes_)) {
        fail("Invalid HTTP response: it does not start with HTTP/1.1");
        return taken;
    }
    if (head_bytes_ > max_head_bytes) {
        fail("Invalid HTTP response: the headers are larger than 16 KiB");
        return taken;
    }
    std::string_view line = bytes.substr(0, size);
    const std::size_t line_size = line_bytes_ + size;
    if (line_bytes_ != 0 || line_feed == nullptr) {
        const std::size_t kept = std::min(line_bytes_, line_capacity);
        const std::size_t added = std::min(size, line_capacity - kept);
        std::memcpy(line_.data() + kept, line.data(), added);
        line = {line_.data(), kept + added};
    }
    line_bytes_ = line_feed == nullptr ? line_size : 0;
    if (line_feed != nullptr) on_line(line.substr(0, line_capacity), line_size > line_capacity);
    return taken;
}

/// `cut`: the line is longer than what is passed of it.
void ResponseParser::on_line(std::string_view line, bool cut) {
    // A line may end in a lone LF (RFC 9112, section 2.2).
    if (!cut && !line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!has_status_)
        on_status_line(line);
    else if (line.empty())
        on_head_end();
    else
        on_field(line, cut);
}

/// `HTTP/1.1 200 OK`, the space behind the status being optional without a phrase (RFC 9112, section 4).
void ResponseParser::on_status_line(std::string_view line) {
    line.remove_prefix(protocol_name.size());
    if (line.size() < 4 || !is_digit(line[0]) || line[1] != '.' || !is_digit(line[2]) || line[3] != ' ')
        return fail("Invalid HTTP response: the status line is malformed");
    if (line[0] != '1') return fail("Invalid HTTP response: the HTTP version is not 1.0 or 1.1");
    minor_version_is_zero_ = line[2] == '0';
    line.remove_prefix(4);
    if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit) || line[0] == '0' ||
        (line.size() > 3 && line[3] != ' '))
        return fail("Invalid HTTP response: the status is not a number from 100 to 999");
    status_ = static_cast<std::uint16_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    has_status_ = true;
}

void ResponseParser::on_field(std::string_view line, bool cut) {
    if (is_blank(line.front())) return fail("Invalid HTTP response: a header is folded over two lines");
    const auto name_end = std::find_if_not(line.begin(), line.end(), is_token_character);
    const auto name_size = static_cast<std::size_t>(name_end - line.begin());
    // The end of a name longer than what is kept of a line is unknown, and of no interest.
    if (cut && name_size == line.size()) return;
    if (name_size == 0 || name_end == line.end() || *name_end != ':')
        return fail("Invalid HTTP response: a header has no valid name");
    // Most headers are told apart from those that count by their length alone.
    if (name_size != 10 && name_size != 11 && name_size != 14 && name_size != 17) return;
    if (cut)
        on_long_field(line.substr(0, name_size));
    else
        on_known_field(line.substr(0, name_size), trim(line.substr(name_size + 1)));
}

/// A field that is longer than what is kept of a line: where it could matter, the worst is assumed.
void ResponseParser::on_long_field(std::string_view name) {
    if (equals(name, "content-length") || equals(name, "transfer-encoding"))
        return fail("Invalid HTTP response: Content-Length or Transfer-Encoding is longer than 256 bytes");
    if (equals(name, "connection")) says_close_ = true;
}

void ResponseParser::on_known_field(std::string_view name, std::string_view value) {
    if (equals(name, "content-length")) return on_content_length(value);
    if (equals(name, "transfer-encoding")) return on_transfer_encoding(value);
    if (equals(name, "connection")) return on_connection(value);
    if (equals(name, "keep-alive")) return on_keep_alive(value);
    if (equals(name, "retry-after")) return on_retry_after(value);
}

void ResponseParser::on_content_length(std::string_view value) {
    if (has_content_length_) return fail("Invalid HTTP response: Content-Length is there twice");
    if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit))
        return fail("Invalid HTTP response: Content-Length is not a number");
    has_content_length_ = true;
    value.remove_prefix(std::min(value.find_first_not_of('0'), value.size()));
    content_length_ = UINT64_MAX;
    if (value.size() > max_length_digits) return;
    content_length_ = 0;
    std::from_chars(value.data(), value.data() + value.size(), content_length_);
}

void ResponseParser::on_transfer_encoding(std::string_view value) {
    has_transfer_encoding_ = true;
    while (!value.empty()) {
        const std::string_view coding = take_element(value);
        if (coding.empty()) continue;
        if (last_coding_is_chunked_)
            return fail("Invalid HTTP response: chunked is not the last transfer coding");
        last_coding_is_chunked_ = equals(coding, "chunked");
    }
}

void ResponseParser::on_connection(std::string_view value) {
    while (!value.empty()) {
        const std::string_view option = take_element(value);
        if (equals(option, "close")) says_close_ = true;
        if (equals(option, "keep-alive")) says_keep_alive_ = true;
    }
}

void ResponseParser::on_keep_alive(std::string_view value) {
    static constexpr std::string_view parameter = "timeout=";
    while (!value.empty()) {
        const std::string_view element = take_element(value);
        if (!equals(element.substr(0, parameter.size()), parameter)) continue;
        std::uint32_t seconds = 0;
        const auto result =
            std::from_chars(element.data() + parameter.size(), element.data() + element.size(), seconds);
        if (result.ec == std::errc{}) idle_timeout_ = std::chrono::seconds{seconds};
    }
}

void ResponseParser::on_retry_after(std::string_view value) {
    const bool usable =
        value.size() <= max_retry_after_size &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
    retry_after_size_ = usable ? value.size() : 0;
    std::copy_n(value.begin(), retry_after_size_, retry_after_.begin());
}

void ResponseParser::on_head_end() {
    if (status_ == switching_protocols)
        return fail("Invalid HTTP response: 101 Switching Protocols, which was not asked for");
    if (status_ >= 200) return begin_body();
    if (++interim_responses_ > max_interim_responses)
        return fail("Invalid HTTP response: more than 8 interim responses (1xx)");
    begin_message();
}

/// How the body ends: RFC 9112, section 6.3.
void ResponseParser::begin_body() {
    head_complete_ = true;
    state_ = State::body;
    keep_alive_ = !says_close_ && (says_keep_alive_ || !minor_version_is_zero_);
    if (status_ == no_content || status_ == not_modified) return complete();
    if (has_transfer_encoding_) {
        // HTTP/1.0 knows no transfer coding, and a length beside one is a sign of response smuggling.
        if (minor_version_is_zero_ || has_content_length_) keep_alive_ = false;
        framing_ =
            last_coding_is_chunked_ && !minor_version_is_zero_ ? Framing::chunked : Framing::until_close;
        chunked_ = {};
    } else {
        framing_ = has_content_length_ ? Framing::length : Framing::until_close;
    }
    if (framing_ == Framing::until_close) keep_alive_ = false;
    if (framing_ != Framing::length) return;
    if (content_length_ > max_body_bytes) body_limit_reached_ = true;
    if (content_length_ == 0 || body_limit_reached_) complete();
}

/// Takes what belongs to the body and returns how much that is.
std::size_t ResponseParser::take_body(std::string_view bytes) {
    const std::string_view allowed = bytes.substr(0, max_body_bytes - body_bytes_);
    std::size_t taken = allowed.size();
    bool ends = false;
    if (framing_ == Framing::length) {
        const std::size_t left = static_cast<std::size_t>(content_length_) - body_bytes_;
        ends = left <= allowed.size();
        taken = std::min(taken, left);
    } else if (framing_ == Framing::chunked) {
        taken = chunked_.feed(allowed);
        ends = chunked_.complete();
        if (!chunked_.error().empty()) fail(chunked_.error());
    }
    body_bytes_ += taken;
    if (state_ == State::failed) return taken;
    // What is left over where the body has not ended is beyond its limit.
    body_limit_reached_ = !ends && taken < bytes.size();
    if (ends || body_limit_reached_) complete();
    return taken;
}

void ResponseParser::complete() {
    if (body_limit_reached_) keep_alive_ = false;
    state_ = State::complete;
}

void ResponseParser::fail(std::string_view error) {
    error_ = error;
    keep_alive_ = false;
    state_ = State::failed;
}

} // namespace docmap::core
