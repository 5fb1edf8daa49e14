// What a finished attempt changes beyond its own row: its place in the delivery queue, its endpoint's, its
// webhook. Runs in the transaction that stores the attempt. Used by the attempt log, on the pool's threads.
#pragma once

#include "core/attempt.hpp"
#include "store/connection.hpp"

#include <span>
#include <string>
#include <vector>

namespace docmap::store {

/// True where the attempt changes nothing else: a delivery read from Kafka that succeeded.
bool is_plain(const core::AttemptRecord& attempt);

struct DeactivatedWebhook {
    std::string webhook_id;
    std::string user_id;
};

/// Applies what newly stored attempts change: webhooks that are gone are deactivated, deliveries that are
/// tried again are put into the queue or move in it, those that ended leave it, and failures are noted for
/// the webhook's deactivation. The webhooks that were active until now, to be logged once the transaction is
/// committed.
std::vector<DeactivatedWebhook> apply_effects(Connection& connection, pqxx::transaction_base& transaction,
                                              std::span<const core::AttemptRecord* const> attempts);

} // namespace docmap::store
