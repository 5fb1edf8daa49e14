#include "kafka/membership_watch.hpp"

#include <algorithm>

namespace docmap::kafka {

MembershipWatch::MembershipWatch(std::chrono::milliseconds session_timeout,
                                 std::chrono::milliseconds heartbeat_interval)
    // The last heartbeat that was answered may be two intervals older than the last turn of the thread.
    : valid_for_(std::max(session_timeout - 2 * heartbeat_interval, session_timeout / 3)),
      doubt_(2 * heartbeat_interval) {}

std::optional<base::SteadyTime> MembershipWatch::served(base::SteadyTime now) {
    if (last_served_ && now - *last_served_ >= valid_for_) in_doubt_until_ = now + doubt_;
    last_served_ = now;
    if (now < in_doubt_until_) return std::nullopt;
    return now + valid_for_;
}

} // namespace docmap::kafka
