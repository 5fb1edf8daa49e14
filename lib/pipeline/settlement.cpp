#include "pipeline/settlement.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <utility>

namespace docmap::pipeline {

void Settlement::open(core::AssignmentPtr assignment) {
    const core::AssignmentId id = assignment->id();
    auto created = std::make_unique<Partition>();
    created->assignment = std::move(assignment);
    const bool inserted = partitions_.emplace(id, std::move(created)).second;
    base::require(inserted, "an assignment id is used once");
}

void Settlement::revoke(core::AssignmentId id) {
    const auto found = partitions_.find(id);
    if (found == partitions_.end()) return;
    found->second->revoked = true;
    if (found->second->ledger.unsettled() == 0) partitions_.erase(found);
}

bool Settlement::live(core::AssignmentId id) const {
    const auto found = partitions_.find(id);
    return found != partitions_.end() && !found->second->revoked;
}

Settlement::Partition& Settlement::partition(core::AssignmentId id) {
    const auto found = partitions_.find(id);
    base::require(found != partitions_.end(), "a record's assignment is known until the record is settled");
    return *found->second;
}

void Settlement::receive(const core::Record& record) {
    partition(record.assignment()).ledger.receive(record.sequence(), record.offset());
    ++unsettled_;
}

void Settlement::expect(const core::Record& record, std::uint32_t deliveries) {
    Partition& owner = partition(record.assignment());
    if (owner.ledger.expect(record.sequence(), deliveries)) on_settled(owner, record);
}

void Settlement::settle_one(const core::Record& record) {
    Partition& owner = partition(record.assignment());
    if (owner.ledger.settle_one(record.sequence())) on_settled(owner, record);
}

void Settlement::on_settled(Partition& owner, const core::Record& record) {
    --unsettled_;
    ++freed_events_;
    freed_bytes_ += record.budget_bytes();
    if (owner.revoked && owner.ledger.unsettled() == 0) partitions_.erase(record.assignment());
}

void Settlement::flush() {
    if (freed_events_ == 0) return;
    std::size_t longest_span = 0;
    for (auto& [id, owner] : partitions_) {
        if (owner->revoked) continue;
        const std::int64_t settled = owner->ledger.settled_offset();
        if (settled > owner->assignment->settled_offset()) owner->assignment->publish_settled(settled);
        longest_span = std::max(longest_span, owner->ledger.span());
    }
    if (longest_span > max_uncommitted_events_ && unsettled_ > 0) return;
    metrics_.events_settled.Increment(static_cast<double>(freed_events_));
    source_->grant(std::exchange(freed_events_, 0), std::exchange(freed_bytes_, 0));
}

} // namespace docmap::pipeline
