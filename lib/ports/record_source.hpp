// Where records come from, as the pipeline sees it. Implemented over Kafka.
#pragma once

#include "core/assignment.hpp"
#include "core/record.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace docmap::ports {

/// Receives what the source has. All calls come on the control thread, in order.
class RecordSink {
  public:
    virtual ~RecordSink() = default;

    /// Partitions were assigned. Comes before their first record.
    virtual void on_assigned(std::vector<core::AssignmentPtr> assignments) = 0;

    /// Records of assigned partitions; per partition in offset order.
    virtual void on_records(std::vector<core::RecordPtr> records) = 0;

    /// Partitions were taken away. No record of them follows; nothing settled on them from now on is
    /// committed.
    virtual void on_revoked(std::vector<core::AssignmentId> assignments) = 0;
};

class RecordSource {
  public:
    virtual ~RecordSource() = default;

    /// Allows that many more events and bytes to be handed to the sink. Where either allowance is used up the
    /// source holds its partitions back. Thread-safe.
    virtual void grant(std::size_t events, std::size_t bytes) = 0;

    /// Hands over no more records; goes on committing what gets settled. Thread-safe.
    virtual void stop_intake() = 0;

    /// Commits what is settled, leaves the group and closes; `closed` runs on the control thread. Call once.
    virtual void close(std::function<void()> closed) = 0;
};

} // namespace docmap::ports
