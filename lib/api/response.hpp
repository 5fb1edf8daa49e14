// A response as handlers make it, and its form on the wire. Plain values.
#pragma once

#include "api/error.hpp"
#include "base/time.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace docmap::api {

struct Response {
    http::status status = http::status::ok;
    std::string_view content_type = "application/json; charset=utf-8"; ///< refers to a literal
    std::string body;
    std::vector<Header> headers;
};

Response json_response(http::status status, const boost::json::value& body);
Response error_response(const ApiError& error);

/// How the connection goes on behind a response.
struct Framing {
    unsigned version = 11; ///< 10 or 11: the request's HTTP version
    bool keep_alive = true;
};

/// Adds the headers that every response has. `now` becomes Date (RFC 9110, section 6.6.1).
http::response<http::string_body> to_http(Response response, Framing framing, base::SystemTime now);

/// `Wed, 15 Jan 2025 10:00:00 GMT` (RFC 9110, section 5.6.7).
std::string format_http_date(base::SystemTime time);

} // namespace docmap::api
