// The calls for operators: health, readiness, metrics. Lives on the API's thread; owned by the application.
#pragma once

#include "api/router.hpp"
#include "base/health.hpp"
#include "base/metrics.hpp"

#include <boost/asio/awaitable.hpp>

namespace docmap::api {

class StatusCalls {
  public:
    /// Both outlive the calls.
    StatusCalls(const base::HealthBoard& health, const base::Metrics& metrics)
        : health_(health), metrics_(metrics) {}

    /// `GET /health`: the process answers.
    boost::asio::awaitable<ApiResult<Response>> health(const Call& call);

    /// `GET /ready`: 200 where every part works, else 503; names each part's state.
    boost::asio::awaitable<ApiResult<Response>> ready(const Call& call);

    /// `GET /metrics`: Prometheus' text format.
    boost::asio::awaitable<ApiResult<Response>> metrics(const Call& call);

  private:
    const base::HealthBoard& health_;
    const base::Metrics& metrics_;
};

} // namespace docmap::api
