// The simulated Kafka's partitions: append-only logs with gaps in their offsets, and the group's committed
// offsets.
#pragma once

#include "core/event.hpp"
#include "simulation/oracle.hpp"
#include "simulation/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace docmap::simulation {

struct LogEntry {
    std::int64_t offset = 0;
    std::size_t event = 0; ///< its number in the scenario
};

struct PartitionLog {
    const std::string* topic = nullptr; ///< lives as long as the process
    std::int32_t number = 0;
    std::vector<LogEntry> entries;
    std::int64_t next_offset = 0;
    std::int64_t committed = 0;

    /// The first entry that is not below `offset`.
    std::size_t position_of(std::int64_t offset) const;
};

class KafkaLog {
  public:
    KafkaLog(World& world, const Scenario& scenario, Oracle& oracle);

    void produce(std::size_t event);
    const PartitionLog& partition(std::size_t index) const { return partitions_[index]; }
    std::size_t partitions() const { return partitions_.size(); }

    bool all_produced() const { return produced_ == scenario_.events.size(); }

    void commit(std::size_t partition, std::int64_t offset);
    /// Whether everything produced is committed.
    bool all_committed() const;

    std::size_t event_of(const core::Record& record) const;
    std::size_t index_of(const std::string& topic, std::int32_t number) const;

    /// The event's record as it would be read now.
    core::RecordPtr make_record(std::size_t partition, const LogEntry& entry, core::AssignmentId assignment,
                                std::uint64_t sequence) const;
    /// The event as it comes out of the queue.
    core::EventPtr make_event(std::size_t event) const;
    std::int64_t offset_of(std::size_t event) const { return offsets_[event]; }
    std::uint64_t body_hash(std::size_t event) const { return decoded_[event]->body_hash(); }

  private:
    World& world_;
    const Scenario& scenario_;
    Oracle& oracle_;
    std::vector<PartitionLog> partitions_;
    std::size_t produced_ = 0;
    std::vector<std::unordered_map<std::int64_t, std::size_t>> events_by_offset_; ///< per partition
    std::vector<std::int64_t> offsets_;                                           ///< per event
    std::vector<core::EventPtr> decoded_; ///< per event; null: rejected
};

} // namespace docmap::simulation
