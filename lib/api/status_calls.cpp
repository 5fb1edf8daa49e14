#include "api/status_calls.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace docmap::api {

namespace asio = boost::asio;
namespace json = boost::json;

asio::awaitable<ApiResult<Response>> StatusCalls::health(const Call&) {
    co_return json_response(http::status::ok, json::object{{"status", "ok"}});
}

asio::awaitable<ApiResult<Response>> StatusCalls::ready(const Call&) {
    bool all_ready = true;
    json::object parts;
    for (const auto& [name, part] : health_.parts()) {
        json::object state;
        state["status"] = part.ready ? "ok" : "unavailable";
        if (!part.detail.empty()) state["detail"] = part.detail;
        parts[name] = std::move(state);
        all_ready = all_ready && part.ready;
    }
    json::object body;
    body["status"] = all_ready ? "ok" : "unavailable";
    body["parts"] = std::move(parts);
    co_return json_response(all_ready ? http::status::ok : http::status::service_unavailable, body);
}

asio::awaitable<ApiResult<Response>> StatusCalls::metrics(const Call&) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics_.expose();
    co_return response;
}

} // namespace docmap::api
