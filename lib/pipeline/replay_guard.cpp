#include "pipeline/replay_guard.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace docmap::pipeline {

void ReplayGuard::begin(const core::AssignmentPtr& assignment) {
    auto& partition = partitions_[assignment->id()];
    partition = std::make_unique<Partition>(assignment);
    load(*partition);
}

std::vector<core::RecordPtr> ReplayGuard::end(core::AssignmentId id) {
    const auto found = partitions_.find(id);
    if (found == partitions_.end()) return {};
    std::vector<core::RecordPtr> held(std::make_move_iterator(found->second->held.begin()),
                                      std::make_move_iterator(found->second->held.end()));
    partitions_.erase(found);
    return held;
}

void ReplayGuard::offer(core::RecordPtr record) {
    const auto found = partitions_.find(record->assignment());
    if (found == partitions_.end()) {
        admit_(std::move(record), {});
        return;
    }
    Partition& partition = *found->second;
    if (!partition.held.empty() || !partition.filter.covers(record->offset())) {
        partition.held.push_back(std::move(record));
        if (!partition.loading) load(partition);
        return;
    }
    auto recorded = partition.filter.take(record->offset());
    if (partition.filter.exhausted()) partitions_.erase(found);
    admit_(std::move(record), std::move(recorded));
}

void ReplayGuard::load(Partition& partition) {
    partition.loading = true;
    const core::Assignment& assignment = *partition.assignment;
    const std::size_t page_rows = partition.page_rows;
    recorded_.find(
        assignment.topic(), assignment.partition(), partition.filter.next_page_offset(), page_rows,
        [this, id = assignment.id(), page_rows](auto page) { on_page(id, page_rows, std::move(page)); });
}

void ReplayGuard::on_page(core::AssignmentId id, std::size_t page_rows,
                          base::Result<std::vector<core::RecordedDelivery>> page) {
    const auto found = partitions_.find(id);
    if (found == partitions_.end()) return;
    Partition& partition = *found->second;
    if (!page) {
        base::log::warning("could not read what is recorded of a partition; its records wait",
                           {{"topic", partition.assignment->topic()},
                            {"partition", partition.assignment->partition()},
                            {"retry_in_ms", partition.retry_delay.count()},
                            {"reason", page.error().message}});
        partition.retry_timer = scheduler_.make_timer([this, &partition] { load(partition); });
        partition.retry_timer->set(scheduler_.now() + partition.retry_delay);
        partition.retry_delay = std::min(partition.retry_delay * 2, last_retry_delay);
        return;
    }
    partition.retry_delay = first_retry_delay;
    partition.loading = false;
    const bool full = page->size() >= page_rows;
    if (!partition.filter.add_page(std::move(*page), full)) partition.page_rows *= 2;
    admit_held(id);
}

void ReplayGuard::admit_held(core::AssignmentId id) {
    Partition& partition = *partitions_.at(id);
    bool admitted = false;
    while (!partition.held.empty() && partition.filter.covers(partition.held.front()->offset())) {
        core::RecordPtr record = std::move(partition.held.front());
        partition.held.pop_front();
        auto recorded = partition.filter.take(record->offset());
        admit_(std::move(record), std::move(recorded));
        admitted = true;
    }
    if (!partition.held.empty())
        load(partition);
    else if (partition.filter.exhausted())
        partitions_.erase(id);
    if (admitted) turn_ended_();
}

} // namespace docmap::pipeline
