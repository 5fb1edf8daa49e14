// What is owed of one assigned partition: which received records are settled, and up to where all of them
// are. Pure; lives on the control thread, one per assignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace docmap::core {

class OffsetLedger {
  public:
    /// Enters a record as owed; its deliveries are not known yet. Records come in offset order, and
    /// `sequence` counts them from 0. Offsets that are never received (compaction, transaction markers) count
    /// as settled.
    void receive(std::uint64_t sequence, std::int64_t offset);

    /// Sets how many deliveries the record owes. With 0 it is settled. Returns whether it is.
    bool expect(std::uint64_t sequence, std::uint32_t deliveries);

    /// One delivery of the record is done. Returns whether the record is settled by it.
    bool settle_one(std::uint64_t sequence);

    /// The offset behind the settled prefix, to be committed; -1 while nothing is settled.
    std::int64_t settled_offset() const { return settled_offset_; }

    /// Records received that are not settled.
    std::size_t unsettled() const { return unsettled_; }

    /// Records above the settled prefix, settled or not: what the ledger holds in memory.
    std::size_t span() const { return entries_.size(); }

  private:
    struct Entry {
        std::int64_t offset;
        std::uint32_t owed;
    };

    Entry& entry(std::uint64_t sequence);
    bool settle(Entry& entry);

    std::deque<Entry> entries_;
    std::uint64_t first_sequence_ = 0; ///< of entries_.front()
    std::int64_t settled_offset_ = -1;
    std::size_t unsettled_ = 0;
};

} // namespace docmap::core
