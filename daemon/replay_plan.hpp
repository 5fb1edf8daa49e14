// What a new replay reads of each partition. Used by the command `replay`, on its one thread.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "core/replay.hpp"
#include "daemon/interrupt.hpp"
#include "kafka/range_reader.hpp"
#include "store/replay_queue.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace docmap::daemon {

struct ReplayPlan {
    std::vector<store::ReplayPosition> positions;
    /// Records that a daemon has not settled yet: it still delivers them itself, so they are left out.
    std::uint64_t unsettled = 0;
};

/// Says something to the operator, in one line.
using Tell = std::function<void(const std::string&)>;

/// Reads end at the ends of the partitions as they are now, but not beyond what the consumer group has
/// settled: what lies behind it is still a daemon's to deliver. While `daemon_is_alive`, it gets the time of
/// an attempt to settle what it has taken in. Fails where Kafka cannot be asked.
base::Result<ReplayPlan> make_replay_plan(const config::Config& config, kafka::RangeReader& reader,
                                          const core::ReplaySelection& selection, bool daemon_is_alive,
                                          const Interrupt& interrupt, const Tell& tell);

} // namespace docmap::daemon
