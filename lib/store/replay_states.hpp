// What the database knows of deliveries that a replay may make: attempts, and what waits in the queue.
// Used by the replay queue, on its thread.
#pragma once

#include "core/replay.hpp"
#include "store/connection.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>

namespace docmap::store {

class DeliveryStates {
  public:
    /// Of a delivery that was asked for.
    core::DeliveryState of(const core::ReplayCandidate& candidate) const;

    /// Where the same delivery is added again, the later state in the order of DeliveryState counts: attempts
    /// before do not matter to what waits.
    void add(const std::string& topic, std::int32_t partition, std::int64_t offset,
             const std::string& webhook_id, std::int64_t body_hash, core::DeliveryState state);

  private:
    using Key = std::tuple<std::string, std::int32_t, std::int64_t, std::string, std::int64_t>;

    std::map<Key, core::DeliveryState> states_;
};

/// Reads them in one query, so that a delivery that is attempted meanwhile is seen as waiting or as
/// attempted, never as neither. Candidates of a partition should lie close together: what lies between them
/// is read too.
DeliveryStates find_states(Connection& connection, pqxx::transaction_base& transaction,
                           std::span<const core::ReplayCandidate> candidates);

} // namespace docmap::store
