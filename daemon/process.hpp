// What the daemon asks of the operating system for the process as a whole.
#pragma once

#include <cstddef>

namespace docmap::daemon {

/// Raises the limit on open files as far as allowed, and warns where it is below `wanted`.
void raise_open_file_limit(std::size_t wanted);

/// Asks Linux to schedule this process and its later threads for throughput (sched(7), SCHED_BATCH): woken by
/// a response, a shard lets the sender finish its turn and then finds several responses. Leaves a policy that
/// somebody has chosen alone. Call before other threads start.
void prefer_throughput();

/// Tells systemd that the service is ready, or stopping. Does nothing outside systemd.
void notify_ready();
void notify_stopping();

} // namespace docmap::daemon
