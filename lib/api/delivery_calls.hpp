// The calls on delivery records. Lives on the API's thread; owned by the application.
#pragma once

#include "api/router.hpp"
#include "ports/repositories.hpp"

#include <boost/asio/awaitable.hpp>

namespace docmap::api {

class DeliveryCalls {
  public:
    /// The repository outlives the calls.
    explicit DeliveryCalls(ports::DeliveryRepository& deliveries) : deliveries_(deliveries) {}

    /// `GET /v1/webhooks/deliveries`.
    boost::asio::awaitable<ApiResult<Response>> list(const Call& call);

  private:
    ports::DeliveryRepository& deliveries_;
};

/// The filter that a query asks for. Its limit is the page's.
ApiResult<ports::DeliveryFilter> read_delivery_filter(const QueryParameters& query, std::string user_id);

} // namespace docmap::api
