// The calls on webhooks: create, list, delete. Lives on the API's thread; owned by the application.
#pragma once

#include "api/router.hpp"
#include "api/webhook_input.hpp"
#include "ports/repositories.hpp"

#include <boost/asio/awaitable.hpp>

namespace docmap::api {

class WebhookCalls {
  public:
    /// All of these outlive the calls.
    WebhookCalls(ports::WebhookRepository& webhooks, ports::SubscriptionChanges& changes, UrlRules url_rules)
        : webhooks_(webhooks), changes_(changes), url_rules_(url_rules) {}

    /// `POST /v1/webhooks`. The only answer that holds the signing secret.
    boost::asio::awaitable<ApiResult<Response>> create(const Call& call);

    /// `GET /v1/webhooks`.
    boost::asio::awaitable<ApiResult<Response>> list(const Call& call);

    /// `DELETE /v1/webhooks/{id}`.
    boost::asio::awaitable<ApiResult<Response>> remove(const Call& call);

  private:
    ports::WebhookRepository& webhooks_;
    ports::SubscriptionChanges& changes_;
    UrlRules url_rules_;
};

} // namespace docmap::api
