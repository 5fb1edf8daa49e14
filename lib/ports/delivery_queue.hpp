// The durable queue of deliveries that wait: retries, and what is parked while its endpoint cannot take it.
// Implemented over PostgreSQL, shared by all instances. What waits for one endpoint is claimed as a whole by
// one instance at a time, so that its order, its window and its rate limit hold over all instances, and an
// endpoint with a million waiting deliveries is one claim like any other. All calls and answers are on the
// control thread; answers never come inside the call. After an error nothing or all of the change may have
// happened. A call acts under the name that the instance had when it was called.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "core/attempt.hpp"
#include "ports/delivery_log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace docmap::ports {

/// A delivery that is due, without its webhook: that may have changed or gone since.
struct QueuedDelivery {
    std::int64_t row_id = 0;
    core::EventPtr event; ///< its record is of no assignment
    std::string webhook_id;
    std::uint16_t attempt = 1; ///< number of the next attempt
};

/// An endpoint whose waiting deliveries are now this instance's, with the first of those that are due.
struct ClaimedEndpoint {
    std::string webhook_id;
    std::string user_id;
    std::uint32_t failures = 0; ///< attempts that failed in a row because of the endpoint, as last stored
    std::vector<QueuedDelivery> deliveries;
};

struct Claim {
    std::vector<ClaimedEndpoint> endpoints;
    /// When the next endpoint that nobody has claimed is due; nothing where none waits.
    std::optional<std::chrono::milliseconds> next_due_in;
};

struct ClaimLimits {
    std::size_t endpoints = 0;
    std::size_t deliveries_per_endpoint = 0; ///< 1 where the endpoint has failures: the probe
    std::size_t bytes = 0; ///< of bodies in all; the first delivery of an endpoint always comes
};

/// Asks for more of an endpoint that is claimed already.
struct TakeRequest {
    std::string webhook_id;
    std::size_t max_deliveries = 0;
};

/// Gives an endpoint back.
struct EndpointRelease {
    std::string webhook_id;
    std::uint32_t failures = 0;
    /// No instance is to claim it before this time; nothing: once its next delivery is due.
    std::optional<std::chrono::milliseconds> pause;
    /// The pause holds also for what comes later, where nothing waits for the endpoint now.
    bool keeps_pause = false;
};

class DeliveryQueue {
  public:
    template<typename T>
    using Done = std::function<void(base::Result<T>)>;

    virtual ~DeliveryQueue() = default;

    /// Says that this instance lives: what it has claimed stays its own for the lease from now on. Frees what
    /// dead instances had claimed. False: this instance was taken for dead and has lost all its claims; it
    /// goes on under a new name.
    virtual void keep_alive(Done<bool> done) = 0;

    /// Claims endpoints that are due, longest due first. Rows in `held` are left out of the answer. One claim
    /// at a time. An endpoint may come without deliveries; it is to be released all the same. What waits for
    /// a webhook that is gone is ended, and such an endpoint does not come. Nothing is claimed before the
    /// first sign of life.
    virtual void claim(ClaimLimits limits, std::vector<std::int64_t> held, Done<Claim> done) = 0;

    /// More due deliveries of claimed endpoints, in their order, without the rows in `held`. An endpoint that
    /// has none is missing in the answer.
    virtual void take(std::vector<TakeRequest> requests, std::size_t max_bytes,
                      std::vector<std::int64_t> held, Done<std::vector<ClaimedEndpoint>> done) = 0;

    /// Gives back what this instance has claimed besides `known`, after a claim whose answer was lost.
    virtual void release_unknown(std::vector<std::string> known, Done<void> done) = 0;

    /// Gives claimed endpoints back. Only those that are still this instance's.
    virtual void release(std::vector<EndpointRelease> releases, Done<void> done) = 0;

    /// Ends what waits for webhooks that are deleted or inactive, in portions; answers whether rows are left.
    virtual void end(std::vector<std::string> webhook_ids, Done<bool> done) = 0;

    /// Gives everything back that this instance has claimed, at its end.
    virtual void leave(Done<void> done) = 0;
};

/// Stores parked deliveries in the queue.
using ParkedLog = BatchLog<core::ParkedDelivery>;

} // namespace docmap::ports
