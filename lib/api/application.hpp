// From a request to its response: routing, authentication, the call itself, and what happens when it throws.
// Knows nothing of sockets. Lives on the API's thread; owned by the server.
#pragma once

#include "api/authenticator.hpp"
#include "api/delivery_calls.hpp"
#include "api/router.hpp"
#include "api/status_calls.hpp"
#include "api/webhook_calls.hpp"
#include "base/health.hpp"
#include "base/metrics.hpp"
#include "core/address_policy.hpp"
#include "ports/repositories.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>

#include <string>

namespace docmap::api {

/// What the API works on. All of it outlives the API.
struct Services {
    ports::WebhookRepository& webhooks;
    ports::DeliveryRepository& deliveries;
    ports::ApiKeyRepository& api_keys;
    ports::SubscriptionChanges& subscription_changes;
    const base::HealthBoard& health;
    const base::Metrics& metrics;
    const core::AddressPolicy& address_policy;
    bool allow_http = false; ///< webhooks may have http:// URLs
};

/// Reads the body of the request being answered. Asked only once the client may send one.
class BodyReader {
  public:
    virtual ~BodyReader() = default;

    /// The whole body, decoded from chunks; 413 where it is too large.
    virtual boost::asio::awaitable<ApiResult<std::string>> read() = 0;
};

class Application {
  public:
    using RequestHead = http::request_header<>;

    explicit Application(const Services& services);

    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    /// Answers one request. Below /v1 authentication comes first, whatever the path, the method or the body.
    /// Throws only when it is cancelled.
    boost::asio::awaitable<Response> answer(const RequestHead& head, BodyReader& body);

    const Router& router() const { return router_; }

  private:
    /// What a request turned out to be, for the log.
    struct Trace {
        std::string_view route = "-";
        std::string user_id;
    };

    Router make_router();
    boost::asio::awaitable<ApiResult<Response>> run(const RequestHead& head, BodyReader& body, Trace& trace);

    Authenticator authenticator_;
    WebhookCalls webhook_calls_;
    DeliveryCalls delivery_calls_;
    StatusCalls status_calls_;
    Router router_;
};

} // namespace docmap::api
