#include "api/webhook_calls.hpp"

#include "api/json_body.hpp"
#include "api/views.hpp"
#include "base/hex.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace docmap::api {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

core::SigningSecret make_signing_secret() {
    std::array<unsigned char, 32> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw std::runtime_error("no random bytes for a signing secret");
    return {base::to_hex(random)};
}

} // namespace

asio::awaitable<ApiResult<Response>> WebhookCalls::create(const Call& call) {
    const ApiResult<json::object> body = read_json_object(call.body);
    if (!body) co_return body.error();
    const ApiResult<WebhookInput> input = read_webhook_input(*body, url_rules_);
    if (!input) co_return input.error();

    const core::SigningSecret secret = make_signing_secret();
    ports::NewWebhook webhook{call.user_id, input->url, input->events, secret};
    const ports::RepositoryResult<ports::WebhookView> created = co_await webhooks_.create(std::move(webhook));
    if (!created) co_return from_repository(created.error());
    co_await changes_.webhook_changed(call.user_id, created->id, false);

    json::object data;
    data["secret"] = secret.text;
    data["webhook"] = to_json(*created);
    co_return json_response(http::status::ok, json::object{{"data", std::move(data)}});
}

asio::awaitable<ApiResult<Response>> WebhookCalls::list(const Call& call) {
    const ApiResult<std::optional<std::size_t>> active = call.query.one_of("active", {"true", "false"});
    if (!active) co_return active.error();
    const bool want_active = active->value_or(0) == 0;
    const ports::RepositoryResult<std::vector<ports::WebhookView>> webhooks =
        co_await webhooks_.list(call.user_id, want_active);
    if (!webhooks) co_return from_repository(webhooks.error());

    json::array data;
    for (const ports::WebhookView& webhook : *webhooks)
        data.emplace_back(to_json(webhook));
    co_return json_response(http::status::ok, json::object{{"data", std::move(data)}});
}

asio::awaitable<ApiResult<Response>> WebhookCalls::remove(const Call& call) {
    const std::string& id = call.path.at("id");
    if (!is_webhook_id(id)) co_return no_such_path();
    const ports::RepositoryResult<void> removed = co_await webhooks_.remove(call.user_id, id);
    if (!removed) co_return from_repository(removed.error(), id);
    co_await changes_.webhook_changed(call.user_id, id, true);
    co_return json_response(http::status::ok, json::object{{"success", true}});
}

} // namespace docmap::api
