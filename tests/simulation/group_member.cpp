#include "core/topic_name.hpp"
#include "simulation/consumer_group.hpp"

#include <algorithm>
#include <utility>

namespace docmap::simulation {

using namespace std::chrono_literals;

GroupMember::GroupMember(Coordinator& coordinator, Conditions& conditions, StoreContext& context,
                         Thread& kafka_thread, Thread& control, ports::RecordSink& sink)
    : world_(context.world), coordinator_(coordinator), conditions_(conditions), context_(context),
      thread_(kafka_thread), control_(control), sink_(sink),
      random_(world_.random("group member", context.life->number)),
      heartbeat_timer_(thread_.make_timer([this] { heartbeat(); })),
      read_timer_(thread_.make_timer([this] { read(); })),
      commit_timer_(thread_.make_timer([this] { commit([] {}); })) {}

GroupMember::~GroupMember() = default;

void GroupMember::start() {
    thread_.post([this] { join(); });
}

void GroupMember::join() {
    member_ = coordinator_.join(
        [this, mailbox = thread_.mailbox(), joined = ++joined_](auto generation, const auto& partitions) {
            mailbox.post([this, joined, generation, partitions] {
                on_assigned(generation, partitions);
                // The news may be old: of a member that the group has given up, or of the one it was before.
                if (joined != joined_ || !coordinator_.knows(member_)) context_.oracle.on_lost(context_.life);
            });
        },
        [&oracle = context_.oracle, life = context_.life] { oracle.on_lost(life); });
    rejoining_ = true;
    heartbeat_timer_->set(world_.now() + Coordinator::heartbeat_interval);
}

void GroupMember::heartbeat() {
    if (closing_) return;
    heartbeat_timer_->set(world_.now() + Coordinator::heartbeat_interval);
    switch (coordinator_.heartbeat(member_)) {
    case Coordinator::State::stable:
        return;
    case Coordinator::State::rebalancing:
        if (std::exchange(rejoining_, true)) return;
        commit([this] {
            drop_assignments();
            if (!closing_) coordinator_.rejoin(member_);
        });
        return;
    case Coordinator::State::unknown: // the assignment is lost: nothing of it may be committed
        drop_assignments();
        join();
    }
}

void GroupMember::on_assigned(std::uint64_t generation, const std::vector<std::size_t>& partitions) {
    if (closing_) return;
    if (!owned_.empty()) drop_assignments();
    generation_ = generation;
    rejoining_ = false;
    std::vector<core::AssignmentPtr> assignments;
    for (const std::size_t index : partitions) {
        const PartitionLog& log = context_.log.partition(index);
        Owned& owned = owned_.emplace_back();
        owned.assignment = std::make_shared<core::Assignment>(core::AssignmentId{++last_assignment_},
                                                              *log.topic, log.number, log.committed);
        owned.partition = index;
        owned.position = log.position_of(log.committed);
        owned.committed = log.committed;
        assignments.push_back(owned.assignment);
        context_.oracle.on_assigned(context_.life, last_assignment_);
        world_.trace(context_.life->name + " is assigned " + *log.topic + "[" + std::to_string(log.number) +
                     "] from " + std::to_string(log.committed));
    }
    control_.post([this, partitions] {
        for (const std::size_t index : partitions)
            context_.guard_times.erase(index); // it is read anew
    });
    control_.post([&sink = sink_, assignments = std::move(assignments)] { sink.on_assigned(assignments); });
    read_timer_->set(world_.now() + random_.between(1ms, 20ms));
}

void GroupMember::drop_assignments() {
    if (owned_.empty()) return;
    std::vector<core::AssignmentId> ids;
    for (const Owned& owned : owned_) {
        ids.push_back(owned.assignment->id());
        revoked_.insert(owned.assignment->id());
    }
    world_.trace(context_.life->name + " gives its partitions back");
    owned_.clear();
    control_.post([this, ids = std::move(ids)] {
        sink_.on_revoked(ids);
        for (const core::AssignmentId id : ids)
            context_.oracle.on_revoked(context_.life, static_cast<std::uint64_t>(id));
    });
}

void GroupMember::grant(std::size_t events, std::size_t bytes) {
    free_events_ += static_cast<std::int64_t>(events);
    free_bytes_ += static_cast<std::int64_t>(bytes);
    const config::Intake& limits = context_.scenario.config.intake;
    context_.oracle.require(free_events_ <= static_cast<std::int64_t>(limits.max_events) &&
                                free_bytes_ <= static_cast<std::int64_t>(limits.max_bytes),
                            "more is granted than the intake budget by " + context_.life->name);
    thread_.post([this] { read(); });
}

bool GroupMember::all_given_back() const {
    const config::Intake& limits = context_.scenario.config.intake;
    return free_events_ == static_cast<std::int64_t>(limits.max_events) &&
           free_bytes_ == static_cast<std::int64_t>(limits.max_bytes);
}

void GroupMember::read() {
    if (stopped_ || owned_.empty()) return;
    const base::SteadyTime next_read = world_.now() + random_.between(20ms, 200ms);
    bool more_to_come = false;
    std::vector<core::RecordPtr> records;
    for (Owned& owned : owned_) {
        const PartitionLog& log = context_.log.partition(owned.partition);
        for (auto left = random_.between(1, 40); left > 0; --left) {
            if (owned.position >= log.entries.size() || free_events_ <= 0 || free_bytes_ <= 0 ||
                conditions_.kafka_away(world_.now()))
                break;
            const LogEntry& entry = log.entries[owned.position++];
            const core::RecordPtr record =
                context_.log.make_record(owned.partition, entry, owned.assignment->id(), owned.received);
            owned.sequences[entry.offset] = owned.received++;
            owned.last_offset = entry.offset;
            --free_events_;
            free_bytes_ -= static_cast<std::int64_t>(record->budget_bytes());
            if (record->value()) {
                Origin& origin = context_.origins[record->value()->data()];
                origin = {Origin::Kind::partition,
                          entry.event,
                          static_cast<std::uint64_t>(owned.assignment->id()),
                          0,
                          0,
                          1,
                          {}};
            }
            records.push_back(record);
        }
        more_to_come = more_to_come || owned.position < log.entries.size();
    }
    if (!records.empty())
        control_.post([&sink = sink_, records = std::move(records)] { sink.on_records(records); });
    // Without allowance the next grant wakes the reader; without records it looks again now and then.
    if (free_events_ > 0 && free_bytes_ > 0 && (more_to_come || !context_.log.all_produced()))
        read_timer_->set(more_to_come ? next_read : next_read + random_.between(0ns, 400ms));
    if (!commit_timer_->pending() && !committing_)
        commit_timer_->set(world_.now() + context_.scenario.config.kafka.commit_interval);
}

std::int64_t GroupMember::offset_to_commit(const Owned& owned) const {
    if (conditions_.mutation == Mutation::commit_received)
        return owned.last_offset < 0 ? -1 : owned.last_offset + 1;
    return owned.assignment->settled_offset();
}

void GroupMember::commit(std::function<void()> done) {
    struct Offset {
        std::size_t partition;
        std::int64_t offset;
    };
    std::vector<Offset> offsets;
    bool unsettled = false;
    for (const Owned& owned : owned_) {
        const std::int64_t offset = offset_to_commit(owned);
        if (offset > owned.committed) offsets.push_back({owned.partition, offset});
        unsettled = unsettled || owned.last_offset >= owned.committed;
    }
    if (unsettled && !closing_)
        commit_timer_->set(world_.now() + context_.scenario.config.kafka.commit_interval);
    if (offsets.empty()) {
        done();
        return;
    }
    committing_ = true;
    const bool fails = random_.chance(conditions_.chances(world_.now()).commit_fails);
    const auto until_there = random_.between(100us, 20ms);
    world_.after(until_there,
                 [&coordinator = coordinator_, &world = world_, fails, offsets, member = member_,
                  generation = generation_, this, mailbox = thread_.mailbox(), done = std::move(done)] {
                     std::vector<Offset> committed;
                     for (const Offset& each : offsets)
                         if (!fails && coordinator.commit(member, generation, each.partition, each.offset))
                             committed.push_back(each);
                     world.after(1ms, [this, mailbox, committed = std::move(committed), generation, done] {
                         mailbox.post([this, committed, generation, done] {
                             committing_ = false;
                             for (const Offset& each : committed)
                                 for (Owned& owned : owned_)
                                     if (generation == generation_ && owned.partition == each.partition)
                                         owned.committed = std::max(owned.committed, each.offset);
                             done();
                         });
                     });
                 });
}

core::RecordPtr GroupMember::current(const core::Record& record) const {
    const std::size_t partition = context_.log.index_of(record.topic(), record.partition());
    for (const Owned& owned : owned_) {
        const auto found = owned.sequences.find(record.offset());
        if (owned.partition == partition && found != owned.sequences.end())
            return context_.log.make_record(partition, {record.offset(), context_.log.event_of(record)},
                                            owned.assignment->id(), found->second);
    }
    return nullptr;
}

void GroupMember::stop_intake() {
    stopped_ = true;
}

void GroupMember::close(std::function<void()> closed) {
    thread_.post([this, closed = std::move(closed)] {
        closing_ = true;
        heartbeat_timer_->cancel();
        commit([this, closed] {
            drop_assignments();
            coordinator_.leave(member_);
            control_.post(closed);
        });
    });
}

} // namespace docmap::simulation
