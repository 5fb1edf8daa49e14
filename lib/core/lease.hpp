// For how long this process may act on what it has been given: a claim of the delivery queue, or its
// membership in the consumer group. Extended by one thread, read by others. The clock goes on while the
// process is stopped, so a process that comes back after a long stop knows that it may not.
#pragma once

#include "base/time.hpp"

#include <atomic>

namespace docmap::core {

class Lease {
  public:
    /// No attempt may begin at or after `time`.
    void extend(base::SteadyTime time) {
        begin_before_.store(time.time_since_epoch().count(), std::memory_order_release);
    }
    /// Nothing may begin any more.
    void end() { extend(base::SteadyTime::min()); }
    bool permits(base::SteadyTime now) const {
        return now.time_since_epoch().count() < begin_before_.load(std::memory_order_acquire);
    }

  private:
    std::atomic<base::SteadyTime::rep> begin_before_{base::SteadyTime::min().time_since_epoch().count()};
};

} // namespace docmap::core
