// What a client is told when a call fails, and the result type that carries it. Plain values.
#pragma once

#include "ports/repositories.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::api {

namespace http = boost::beast::http;

/// A response header beyond those that every response has.
struct Header {
    http::field name;
    std::string value;
};

/// Becomes `{"error": {"code", "message"}}`. Never holds a detail of the inside, nor a secret.
struct ApiError {
    http::status status;
    std::string code;    ///< for programs: `VALIDATION_ERROR` and so on
    std::string message; ///< for people: names the thing, the rule and the way out
    std::vector<Header> headers;
};

/// What a call gives, or why it failed. `value()` on a failed result throws std::logic_error.
template<typename T>
using ApiResult = boost::system::result<T, ApiError>;

[[noreturn]] void throw_exception_from_error(const ApiError& error, const boost::source_location& location);

/// 400; `field` is the body field or query parameter at fault, `reason` starts with a verb: "must be a
/// string".
ApiError validation_error(std::string_view field, std::string_view reason);

/// 400: not a request that HTTP/1.1 (RFC 9112) allows.
ApiError malformed_request(std::string_view reason);

/// 401. The same for every reason, so that nobody learns which keys exist.
ApiError unauthorized();

/// 404 for a path that is none.
ApiError no_such_path();

/// 404 for an id that is none.
ApiError no_such_webhook(std::string_view id);

/// 405 (RFC 9110, section 15.5.6); `allow` lists the methods that the path has.
ApiError method_not_allowed(std::string allow);

/// 413; `limit` in bytes.
ApiError payload_too_large(std::size_t limit);

/// 415: the body is not `application/json`.
ApiError unsupported_media_type(std::string_view reason);

/// 431 (RFC 6585); `limit` in bytes.
ApiError headers_too_large(std::size_t limit);

/// 500, without any detail.
ApiError internal_error();

/// 503 with Retry-After: the database is away.
ApiError unavailable();

/// What a repository's refusal about webhook `id` means to the client. `id` is empty where none is known yet.
ApiError from_repository(ports::RepositoryError error, std::string_view id = {});

} // namespace docmap::api
