// Statements of the delivery queue: claiming endpoints, reading what is due for them, giving them back,
// ending what waits for webhooks that are gone. Each function is one job on a pool's thread; used by
// PostgresDeliveryQueue.
//
// A row that this program cannot read (an event of a newer version) is logged as an error and put off by an
// hour: it stays, it does not keep its endpoint due in a loop, and an instance that knows the event delivers
// it.
#pragma once

#include "ports/delivery_queue.hpp"
#include "store/connection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace docmap::store {

/// Claims endpoints for `owner`, which must be a living instance: else there are none. What waits for a
/// webhook that is deleted or inactive is ended on the way; such an endpoint is not in the answer. Not one
/// transaction: after an error endpoints may be claimed that nobody knows of.
ports::Claim claim_endpoints(Connection& connection, const std::string& owner,
                             const ports::ClaimLimits& limits, const std::vector<std::int64_t>& held);

/// What is due of endpoints that `owner` has claimed; those with nothing due are left out.
std::vector<ports::ClaimedEndpoint> take_deliveries(Connection& connection, const std::string& owner,
                                                    const std::vector<ports::TakeRequest>& requests,
                                                    std::size_t max_bytes,
                                                    const std::vector<std::int64_t>& held);

/// Gives endpoints back that are still `owner`'s: each is due again when its first row is, but not before its
/// pause is over, and at once where its webhook is gone. One where nothing waits any more is forgotten.
void release_endpoints(Connection& connection, const std::string& owner,
                       const std::vector<ports::EndpointRelease>& releases);

/// Deletes up to 10,000 rows of webhooks that are not active; true where rows may be left.
bool end_deliveries(Connection& connection, const std::vector<std::string>& webhook_ids);

} // namespace docmap::store
