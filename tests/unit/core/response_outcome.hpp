// What a caller sees of a response parser, and responses to feed it, for tests.
#pragma once

#include "core/response_parser.hpp"

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace docmap::core {

/// Everything that a caller can see of a parser.
struct Outcome {
    ResponseParser::State state{};
    bool head_complete = false;
    unsigned status = 0;
    bool keep_alive = false;
    bool body_limit_reached = false;
    std::string retry_after;
    std::optional<std::chrono::seconds> idle_timeout;
    std::string error;
    bool operator==(const Outcome&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    return out << "state " << static_cast<int>(outcome.state) << ", head_complete " << outcome.head_complete
               << ", status " << outcome.status << ", keep_alive " << outcome.keep_alive
               << ", body_limit_reached " << outcome.body_limit_reached << ", retry_after '"
               << outcome.retry_after << "', error '" << outcome.error << "'";
}

inline Outcome outcome_of(const ResponseParser& parser) {
    return {parser.state(),        parser.head_complete(),      parser.head_complete() ? parser.status() : 0U,
            parser.keep_alive(),   parser.body_limit_reached(), std::string(parser.retry_after()),
            parser.idle_timeout(), std::string(parser.error())};
}

inline Outcome parse(std::string_view bytes, bool closed = false) {
    ResponseParser parser;
    parser.feed(bytes);
    if (closed) parser.end_of_stream();
    return outcome_of(parser);
}

inline Outcome parse_bytewise(std::string_view bytes) {
    ResponseParser parser;
    for (const char& byte : bytes)
        parser.feed({&byte, 1});
    return outcome_of(parser);
}

inline constexpr const char* nginx_response = "HTTP/1.1 200 OK\r\n"
                                              "Server: nginx/1.22.1\r\n"
                                              "Date: Mon, 20 Jan 2025 14:30:03 GMT\r\n"
                                              "Content-Type: text/plain\r\n"
                                              "Content-Length: 0\r\n"
                                              "Connection: keep-alive\r\n"
                                              "\r\n";

/// A response without a body.
inline std::string head(const std::string& fields, const std::string& status_line = "HTTP/1.1 200 OK") {
    return status_line + "\r\n" + fields + "\r\n";
}

} // namespace docmap::core
