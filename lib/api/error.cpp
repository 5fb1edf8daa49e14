#include "api/error.hpp"

#include <stdexcept>
#include <utility>

namespace docmap::api {

namespace {

std::string join(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts)
        text += part;
    return text;
}

} // namespace

void throw_exception_from_error(const ApiError& error, const boost::source_location&) {
    throw std::logic_error("unchecked API error: " + error.message);
}

ApiError validation_error(std::string_view field, std::string_view reason) {
    return {http::status::bad_request, "VALIDATION_ERROR", join({field, ": ", reason}), {}};
}

ApiError malformed_request(std::string_view reason) {
    return {http::status::bad_request,
            "VALIDATION_ERROR",
            join({"The request is not valid HTTP: ", reason, "."}),
            {}};
}

ApiError unauthorized() {
    return {http::status::unauthorized,
            "UNAUTHORIZED",
            "Missing, invalid, or expired API key / token.",
            {{http::field::www_authenticate, "Bearer"}}};
}

ApiError no_such_path() {
    return {http::status::not_found, "NOT_FOUND", "There is nothing at this path.", {}};
}

ApiError no_such_webhook(std::string_view id) {
    return {
        http::status::not_found, "NOT_FOUND", join({"There is no webhook with the id \"", id, "\"."}), {}};
}

ApiError method_not_allowed(std::string allow) {
    std::string message = "This path does not have that method. It has: " + allow + ".";
    return {http::status::method_not_allowed,
            "METHOD_NOT_ALLOWED",
            std::move(message),
            {{http::field::allow, std::move(allow)}}};
}

ApiError payload_too_large(std::size_t limit) {
    return {http::status::payload_too_large,
            "PAYLOAD_TOO_LARGE",
            join({"The request body is larger than the limit of ", std::to_string(limit), " bytes."}),
            {}};
}

ApiError unsupported_media_type(std::string_view reason) {
    return {http::status::unsupported_media_type, "UNSUPPORTED_MEDIA_TYPE", std::string(reason), {}};
}

ApiError headers_too_large(std::size_t limit) {
    return {http::status::request_header_fields_too_large,
            "HEADERS_TOO_LARGE",
            join({"The request's headers are larger than the limit of ", std::to_string(limit), " bytes."}),
            {}};
}

ApiError internal_error() {
    return {http::status::internal_server_error,
            "INTERNAL_ERROR",
            "Something went wrong on our side. Trying again may help.",
            {}};
}

ApiError unavailable() {
    return {http::status::service_unavailable,
            "UNAVAILABLE",
            "The service is temporarily unavailable. Try again in a few seconds.",
            {{http::field::retry_after, "5"}}};
}

ApiError from_repository(ports::RepositoryError error, std::string_view id) {
    switch (error) {
    case ports::RepositoryError::unavailable:
        return unavailable();
    case ports::RepositoryError::not_found:
        return no_such_webhook(id);
    case ports::RepositoryError::forbidden:
        return {http::status::forbidden, "FORBIDDEN", "This webhook belongs to another user.", {}};
    case ports::RepositoryError::limit_reached:
        return {http::status::bad_request,
                "MAX_WEBHOOKS_REACHED",
                "You have reached the maximum of 10 active webhooks. "
                "Delete an existing webhook before creating a new one.",
                {}};
    }
    return internal_error();
}

} // namespace docmap::api
