#include "api/response.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

namespace docmap::api {

Response json_response(http::status status, const boost::json::value& body) {
    Response response;
    response.status = status;
    response.body = boost::json::serialize(body);
    return response;
}

Response error_response(const ApiError& error) {
    const boost::json::value body = {{"error", {{"code", error.code}, {"message", error.message}}}};
    Response response = json_response(error.status, body);
    response.headers = error.headers;
    return response;
}

http::response<http::string_body> to_http(Response response, Framing framing, base::SystemTime now) {
    http::response<http::string_body> message(response.status, framing.version);
    message.set(http::field::server, "docmap-webhookd");
    message.set(http::field::date, format_http_date(now));
    message.set(http::field::content_type, response.content_type);
    message.set(http::field::cache_control, "no-store");
    message.set("X-Content-Type-Options", "nosniff");
    for (const Header& header : response.headers)
        message.set(header.name, header.value);
    message.body() = std::move(response.body);
    message.keep_alive(framing.keep_alive);
    message.prepare_payload();
    return message;
}

std::string format_http_date(base::SystemTime time) {
    static constexpr std::array weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    std::array<char, 64> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                      weekdays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                      months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                      static_cast<int>(clock.seconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

} // namespace docmap::api
