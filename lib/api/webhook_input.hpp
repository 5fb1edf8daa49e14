// What clients send about webhooks, validated. Pure.
#pragma once

#include "api/error.hpp"
#include "core/address_policy.hpp"
#include "core/webhook.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace docmap::api {

/// Which URLs may be registered. The policy outlives the API.
struct UrlRules {
    const core::AddressPolicy& address_policy;
    bool allow_http = false;
};

/// The body of `POST /v1/webhooks`.
struct WebhookInput {
    std::string url;
    core::EventSet events;
};

/// Unknown fields are ignored. The first rule that the body breaks is the error.
ApiResult<WebhookInput> read_webhook_input(const boost::json::object& body, const UrlRules& rules);

/// `webhook-` and 12 of `a-z0-9`.
bool is_webhook_id(std::string_view text);

} // namespace docmap::api
