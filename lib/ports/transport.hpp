// How requests reach endpoints, as the pipeline sees it. Implemented over sockets and TLS.
// One transport per shard; everything here happens on the shard's thread.
#pragma once

#include "base/time.hpp"
#include "core/webhook.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::ports {

/// How an exchange ended.
struct ExchangeResult {
    std::uint16_t http_status = 0; ///< 0: no response headers came
    std::string error;             ///< where http_status is 0: one readable line, as in the delivery record
    std::string retry_after;       ///< the header's value, empty where absent; at most 64 characters
    bool blocked = false;          ///< refused locally by the address policy: trying again is pointless
    bool aborted = false;          ///< cut off by abort_all(): says nothing about the endpoint
};

/// One HTTP request and, later, its result. Owned by the caller, which keeps it in place until it is done.
struct Exchange {
    const core::Origin* origin = nullptr; ///< must outlive the exchange
    std::string head;                     ///< request line and headers, with the empty line
    std::string_view body;                ///< must outlive the exchange
    base::SteadyTime start_time{};        ///< the caller's reading of the clock, just before the start
    base::SteadyTime deadline{};          ///< from looking for a connection to the end of what is read
    base::SteadyTime end_time{};          ///< set with the result
    ExchangeResult result;
};

class ExchangeListener {
  public:
    virtual ~ExchangeListener() = default;

    /// `exchange.result` is set, and `end_time` is now; the transport does not touch the exchange again. May
    /// start others.
    virtual void on_exchange_done(Exchange& exchange) = 0;
};

class Transport {
  public:
    virtual ~Transport() = default;

    /// Starts an exchange; the listener hears of its end, never inside the call.
    virtual void start(Exchange& exchange) = 0;

    /// Ends every exchange with `aborted` set, through the listener, and closes all connections.
    virtual void abort_all() = 0;
};

} // namespace docmap::ports
