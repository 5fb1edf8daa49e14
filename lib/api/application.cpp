#include "api/application.hpp"

#include "api/json_body.hpp"
#include "base/log.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/string.hpp>

#include <chrono>
#include <optional>
#include <utility>
#include <variant>

namespace docmap::api {

namespace asio = boost::asio;

namespace {

/// Refuses, before a byte of the body is read, what a call could not read anyway.
std::optional<ApiError> check_body_form(const Application::RequestHead& head) {
    const std::string_view type = head[http::field::content_type];
    if (!is_json_content_type(type))
        return unsupported_media_type("Send the header Content-Type: application/json.");
    const std::string_view encoding = head[http::field::content_encoding];
    if (!encoding.empty() && !boost::beast::iequals(encoding, "identity"))
        return unsupported_media_type("Send the body as it is, without Content-Encoding.");
    return std::nullopt;
}

std::string_view method_of(const Application::RequestHead& head) {
    const auto method = head.method_string();
    return {method.data(), method.size()};
}

void log_failure(const Application::RequestHead& head, const std::exception& error) {
    // The path alone: a query may hold what does not belong into a log.
    const std::string_view target = head.target();
    const std::string_view path = target.substr(0, target.find('?')).substr(0, 256);
    base::log::error("API call failed",
                     {{"method", method_of(head)}, {"path", path}, {"error", error.what()}});
}

template<typename Calls>
Handler to(Calls& calls, asio::awaitable<ApiResult<Response>> (Calls::*method)(const Call&)) {
    return [&calls, method](const Call& call) { return (calls.*method)(call); };
}

} // namespace

Router Application::make_router() {
    using enum http::verb;
    constexpr auto open = Authentication::none;
    constexpr auto bearer = Authentication::bearer;
    constexpr auto json = Body::json;
    constexpr auto none = Body::ignored;
    return Router({
        {post, "/v1/webhooks", bearer, json, to(webhook_calls_, &WebhookCalls::create)},
        {get, "/v1/webhooks", bearer, none, to(webhook_calls_, &WebhookCalls::list)},
        {delete_, "/v1/webhooks/{id}", bearer, none, to(webhook_calls_, &WebhookCalls::remove)},
        {get, "/v1/webhooks/deliveries", bearer, none, to(delivery_calls_, &DeliveryCalls::list)},
        {get, "/health", open, none, to(status_calls_, &StatusCalls::health)},
        {get, "/ready", open, none, to(status_calls_, &StatusCalls::ready)},
        {get, "/metrics", open, none, to(status_calls_, &StatusCalls::metrics)},
    });
}

Application::Application(const Services& services)
    : authenticator_(services.api_keys),
      webhook_calls_(services.webhooks, services.subscription_changes,
                     UrlRules{services.address_policy, services.allow_http}),
      delivery_calls_(services.deliveries), status_calls_(services.health, services.metrics),
      router_(make_router()) {}

asio::awaitable<Response> Application::answer(const RequestHead& head, BodyReader& body) {
    const auto started = std::chrono::steady_clock::now();
    const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    Trace trace;
    Response response;
    try {
        ApiResult<Response> result = co_await run(head, body, trace);
        response = result ? std::move(*result) : error_response(result.error());
    } catch (const std::exception& error) {
        if (cancellation.cancelled() != asio::cancellation_type::none) throw;
        log_failure(head, error);
        response = error_response(internal_error());
    }
    const auto elapsed = std::chrono::steady_clock::now() - started;
    base::log::debug("API request",
                     {{"method", method_of(head)},
                      {"route", trace.route},
                      {"status", static_cast<int>(response.status)},
                      {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()},
                      {"user_id", trace.user_id}});
    co_return response;
}

asio::awaitable<ApiResult<Response>> Application::run(const RequestHead& head, BodyReader& body,
                                                      Trace& trace) {
    ApiResult<Target> target = parse_target(head.target());
    if (!target) co_return target.error();
    const bool below_v1 = !target->segments.empty() && target->segments.front() == "v1";
    Call call;
    if (below_v1) {
        // Two such headers are as good as none: which one counts would be a guess.
        const bool once = head.count(http::field::authorization) == 1;
        std::string authorization(once ? std::string_view(head[http::field::authorization])
                                       : std::string_view());
        ApiResult<std::string> user = co_await authenticator_.authenticate(std::move(authorization));
        if (!user) co_return user.error();
        call.user_id = std::move(*user);
        trace.user_id = call.user_id;
    }

    Router::Match match = router_.match(head.method(), target->segments);
    if (std::holds_alternative<Router::NoSuchPath>(match)) co_return no_such_path();
    if (auto* wrong = std::get_if<Router::WrongMethod>(&match))
        co_return method_not_allowed(std::move(wrong->allow));
    auto& found = std::get<Router::Found>(match);
    trace.route = found.route->path;
    call.path = std::move(found.parameters);

    ApiResult<QueryParameters> query = parse_query(target->encoded_query);
    if (!query) co_return query.error();
    call.query = std::move(*query);

    if (found.route->body == Body::json) {
        if (std::optional<ApiError> error = check_body_form(head)) co_return std::move(*error);
    }
    ApiResult<std::string> text = co_await body.read();
    if (!text) co_return text.error();
    call.body = std::move(*text);

    co_return co_await found.route->handler(call);
}

} // namespace docmap::api
