// How long a member of the group may believe in its assignments without serving librdkafka: a process that
// was stopped, or kept from running, for longer than its session may have lost them to others without knowing
// it yet. Pure; lives on the Kafka thread.
#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace docmap::kafka {

class MembershipWatch {
  public:
    MembershipWatch(std::chrono::milliseconds session_timeout, std::chrono::milliseconds heartbeat_interval);

    /// The thread has served librdkafka at `now`. Returns until when the assignments can be believed; nothing
    /// while that is in doubt: after a gap, until librdkafka has had the time for two heartbeats, whose
    /// answers would tell.
    std::optional<base::SteadyTime> served(base::SteadyTime now);

    /// The thread must serve librdkafka at least this often, or it doubts without need.
    std::chrono::milliseconds longest_wait() const { return std::min(valid_for_, doubt_) / 3; }

    bool in_doubt(base::SteadyTime now) const { return now < in_doubt_until_; }

  private:
    std::chrono::milliseconds valid_for_;
    std::chrono::milliseconds doubt_;
    std::optional<base::SteadyTime> last_served_;
    base::SteadyTime in_doubt_until_ = base::SteadyTime::min();
};

} // namespace docmap::kafka
