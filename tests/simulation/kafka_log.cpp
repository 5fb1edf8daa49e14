#include "simulation/kafka_log.hpp"

#include "base/invariant.hpp"
#include "core/event_decoder.hpp"
#include "core/topic_name.hpp"

#include <algorithm>

namespace docmap::simulation {

std::size_t PartitionLog::position_of(std::int64_t offset) const {
    const auto found =
        std::lower_bound(entries.begin(), entries.end(), offset,
                         [](const LogEntry& entry, std::int64_t limit) { return entry.offset < limit; });
    return static_cast<std::size_t>(found - entries.begin());
}

KafkaLog::KafkaLog(World& world, const Scenario& scenario, Oracle& oracle)
    : world_(world), scenario_(scenario), oracle_(oracle), events_by_offset_(scenario.partitions.size()),
      offsets_(scenario.events.size()), decoded_(scenario.events.size()) {
    for (const PartitionPlan& plan : scenario.partitions) {
        PartitionLog& log = partitions_.emplace_back();
        log.topic = &core::intern_topic(plan.topic);
        log.number = plan.number;
    }
}

void KafkaLog::produce(std::size_t event) {
    ++produced_;
    const EventPlan& plan = scenario_.events[event];
    PartitionLog& log = partitions_[plan.partition];
    const std::int64_t offset = log.next_offset + plan.offsets_skipped;
    log.next_offset = offset + 1;
    log.entries.push_back({offset, event});
    events_by_offset_[plan.partition][offset] = event;
    offsets_[event] = offset;
    if (!plan.valid) return;
    core::EventDecoder decoder(scenario_.config.kafka.max_event_bytes);
    core::DecodeResult decoded = decoder.decode(make_record(plan.partition, log.entries.back(), {}, 0));
    base::require(decoded.has_value(), "a valid event can be decoded");
    decoded_[event] = *decoded;
}

void KafkaLog::commit(std::size_t partition, std::int64_t offset) {
    PartitionLog& log = partitions_[partition];
    world_.trace("committed " + *log.topic + "[" + std::to_string(log.number) + "] " +
                 std::to_string(offset));
    for (std::size_t position = log.position_of(log.committed);
         position < log.entries.size() && log.entries[position].offset < offset; ++position)
        oracle_.on_committed(log.entries[position].event);
    oracle_.require(offset <= log.next_offset, "an offset was committed that the partition does not have");
    log.committed = offset;
}

bool KafkaLog::all_committed() const {
    return std::all_of(partitions_.begin(), partitions_.end(), [](const PartitionLog& log) {
        return log.entries.empty() || log.committed > log.entries.back().offset;
    });
}

std::size_t KafkaLog::index_of(const std::string& topic, std::int32_t number) const {
    for (std::size_t index = 0; index < partitions_.size(); ++index)
        if (partitions_[index].number == number && *partitions_[index].topic == topic) return index;
    base::require(false, "a partition that is named exists");
    return 0;
}

std::size_t KafkaLog::event_of(const core::Record& record) const {
    return events_by_offset_[index_of(record.topic(), record.partition())].at(record.offset());
}

core::RecordPtr KafkaLog::make_record(std::size_t partition, const LogEntry& entry,
                                      core::AssignmentId assignment, std::uint64_t sequence) const {
    const EventPlan& plan = scenario_.events[entry.event];
    core::RecordFields fields;
    fields.topic = partitions_[partition].topic;
    fields.partition = partitions_[partition].number;
    fields.offset = entry.offset;
    fields.assignment = assignment;
    fields.sequence = sequence;
    fields.timestamp = World::wall(plan.at);
    if (plan.value) fields.value = *plan.value;
    fields.key = plan.user_id;
    return core::Record::create(fields);
}

core::EventPtr KafkaLog::make_event(std::size_t event) const {
    const core::Event& decoded = *decoded_[event];
    core::EventFields fields;
    fields.type = decoded.type();
    fields.id = decoded.id();
    fields.user_id = decoded.user_id();
    fields.extraction_id = decoded.extraction_id();
    fields.body_hash = decoded.body_hash();
    return core::Event::create(
        make_record(scenario_.events[event].partition, {offsets_[event], event}, core::no_assignment, 0),
        fields);
}

} // namespace docmap::simulation
