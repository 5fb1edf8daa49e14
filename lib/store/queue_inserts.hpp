// Writes into the delivery queue as a part of a transaction: rows that wait, and the endpoints they wait for.
// What locks several tables takes them in this order everywhere: webhooks, delivery_queue (by id),
// queued_endpoints (by webhook id), failing_webhooks (by webhook id). Used by the batch logs, on the pool's
// threads.
#pragma once

#include "base/time.hpp"
#include "core/attempt.hpp"
#include "store/connection.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace docmap::store {

/// A delivery to be put into the queue.
struct QueueRow {
    const core::Delivery* delivery = nullptr; ///< must outlive this
    std::uint16_t attempt = 1;                ///< number of the next attempt
    base::SystemTime due_at{};
};

/// What another instance may have recorded of a delivery meanwhile, so that it is not to be queued.
enum class Unless {
    attempted, ///< any attempt
    succeeded, ///< an attempt that succeeded
};

/// Inserts the rows, in their order; those that wait already are left as they are.
void insert_queue_rows(Connection& connection, pqxx::transaction_base& transaction,
                       std::span<const QueueRow> rows, Unless unless);

/// What a batch changes about one endpoint.
struct EndpointChange {
    std::string user_id;
    base::SystemTime due_at{};                  ///< when there is something to do for it
    std::optional<base::SystemTime> not_before; ///< it is to be left alone until then
    std::uint32_t failures = 0;                 ///< it has at least so many in a row
};

/// By webhook id, which is the order in which the rows are locked.
using EndpointChanges = std::map<std::string, EndpointChange>;

/// Adds a change to those of the same endpoint: the earliest `due_at`, the latest `not_before`, most
/// failures.
void add_endpoint_change(EndpointChanges& changes, const core::Webhook& webhook, base::SystemTime due_at,
                         std::optional<base::SystemTime> not_before = std::nullopt,
                         std::uint32_t failures = 0);

/// Makes the endpoints known, or due earlier; never before a `not_before`, and whoever has claimed one keeps
/// it. Must come after the rows of the same transaction: whoever gives an endpoint back waits for this lock,
/// and then sees those rows.
void change_endpoints(Connection& connection, pqxx::transaction_base& transaction,
                      const EndpointChanges& changes);

} // namespace docmap::store
