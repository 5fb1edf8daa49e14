// Settles records: keeps one ledger per assignment, publishes the settled prefix for the commit, and gives
// the intake budget back. Lives on the control thread; owned by the pipeline.
#pragma once

#include "base/metrics.hpp"
#include "core/assignment.hpp"
#include "core/offset_ledger.hpp"
#include "ports/record_source.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace docmap::pipeline {

class Settlement {
  public:
    /// `max_uncommitted_events`: most records above the first unsettled one of a partition; beyond it no
    /// budget is given back, so that the ledger stays bounded while a single delivery takes its time.
    Settlement(std::size_t max_uncommitted_events, base::Metrics& metrics)
        : max_uncommitted_events_(max_uncommitted_events), metrics_(metrics) {}

    /// Where budget goes back to. Call before the first record.
    void attach(ports::RecordSource& source) { source_ = &source; }

    void open(core::AssignmentPtr assignment);

    /// The assignment was revoked: nothing of it is published any more. Its records still hold budget until
    /// done.
    void revoke(core::AssignmentId id);

    /// Whether the assignment is still this process's.
    bool live(core::AssignmentId id) const;

    void receive(const core::Record& record);

    /// Sets how many deliveries (or rejections) the record owes; 0 settles it.
    void expect(const core::Record& record, std::uint32_t deliveries);

    /// One delivery (or rejection) of the record is stored, or has become pointless.
    void settle_one(const core::Record& record);

    /// Publishes what was settled and gives the budget back. Call at the end of each turn that settled
    /// something.
    void flush();

    /// Records received and not settled, over all assignments.
    std::size_t unsettled() const { return unsettled_; }

  private:
    struct Partition {
        core::AssignmentPtr assignment;
        core::OffsetLedger ledger;
        bool revoked = false;
    };

    Partition& partition(core::AssignmentId id);
    void on_settled(Partition& partition, const core::Record& record);

    std::size_t max_uncommitted_events_;
    base::Metrics& metrics_;
    ports::RecordSource* source_ = nullptr;
    boost::unordered_flat_map<core::AssignmentId, std::unique_ptr<Partition>> partitions_;
    std::size_t unsettled_ = 0;
    std::size_t freed_events_ = 0;
    std::size_t freed_bytes_ = 0;
};

} // namespace docmap::pipeline
