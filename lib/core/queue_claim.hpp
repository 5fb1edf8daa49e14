// What this process has claimed from the delivery queue, and for how long it may act on it.
// Claims are immutable and shared; a lease is extended on the control thread and read on the shards'.
#pragma once

#include "base/time.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace docmap::core {

/// How long this process may act on what it claimed from the delivery queue. Extended on the control thread,
/// read on the shards'.
class QueueLease {
  public:
    /// No attempt may begin at or after `time`: it might outlast the claim.
    void extend(base::SteadyTime time) {
        begin_before_.store(time.time_since_epoch().count(), std::memory_order_release);
    }
    /// Nothing may begin any more: the claims are another's.
    void end() { begin_before_.store(base::SteadyTime::min().time_since_epoch().count()); }
    bool permits(base::SteadyTime now) const {
        return now.time_since_epoch().count() < begin_before_.load(std::memory_order_acquire);
    }

  private:
    std::atomic<base::SteadyTime::rep> begin_before_{base::SteadyTime::min().time_since_epoch().count()};
};

/// A row of the delivery queue that this process has claimed.
struct QueueClaim {
    std::int64_t row_id = 0;
    std::shared_ptr<const QueueLease> lease;
};

} // namespace docmap::core
