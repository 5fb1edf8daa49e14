#include "simulation/consumer_group.hpp"

#include <algorithm>
#include <utility>

namespace docmap::simulation {

using namespace std::chrono_literals;

MemberId Coordinator::join(Assigned assigned, std::function<void()> lost) {
    begin_rebalance();
    const MemberId id = ++last_member_;
    Member& member = members_[id];
    member.assigned = std::move(assigned);
    member.lost = std::move(lost);
    member.joined = true;
    expect_heartbeat(id);
    world_.after(50ms, [this] { complete_if_joined(); });
    return id;
}

void Coordinator::rejoin(MemberId id) {
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    found->second.joined = true;
    expect_heartbeat(id);
    complete_if_joined();
}

void Coordinator::leave(MemberId id) {
    if (members_.erase(id) > 0) rebalance();
}

void Coordinator::begin_rebalance() {
    if (std::exchange(rebalancing_, true)) return;
    for (auto& [id, member] : members_)
        member.joined = false;
}

void Coordinator::rebalance() {
    begin_rebalance();
    complete_if_joined();
}

Coordinator::State Coordinator::heartbeat(MemberId id) {
    if (conditions_.kafka_away(world_.now())) return State::stable; // no answer: the member goes on
    const auto found = members_.find(id);
    if (found == members_.end()) return State::unknown;
    expect_heartbeat(id);
    return rebalancing_ && !found->second.joined ? State::rebalancing : State::stable;
}

void Coordinator::expect_heartbeat(MemberId id) {
    Member& member = members_.at(id);
    world_.after(session, [this, id, seen = ++member.seen] {
        const auto found = members_.find(id);
        if (found == members_.end() || found->second.seen != seen) return;
        if (conditions_.kafka_away(world_.now())) {
            expect_heartbeat(id);
            return;
        }
        world_.trace("member " + std::to_string(id) + " was silent for its session");
        found->second.lost();
        leave(id);
    });
}

void Coordinator::complete_if_joined() {
    if (!rebalancing_ || members_.empty()) return;
    if (std::any_of(members_.begin(), members_.end(),
                    [](const auto& member) { return !member.second.joined; }))
        return;
    rebalancing_ = false;
    ++generation_;
    std::size_t next = 0;
    std::size_t place = 0;
    for (auto& [id, member] : members_) {
        const std::size_t end = log_.partitions() * ++place / members_.size();
        std::vector<std::size_t> partitions;
        for (; next < end; ++next)
            partitions.push_back(next);
        member.assigned(generation_, std::move(partitions));
    }
}

bool Coordinator::commit(MemberId id, std::uint64_t generation, std::size_t partition, std::int64_t offset) {
    if (conditions_.kafka_away(world_.now()) || !members_.contains(id) || generation != generation_)
        return false;
    log_.commit(partition, offset);
    return true;
}

} // namespace docmap::simulation
