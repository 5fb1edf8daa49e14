#include "core/offset_ledger.hpp"

#include "base/invariant.hpp"

#include <limits>

namespace docmap::core {

namespace {

constexpr std::uint32_t unknown = std::numeric_limits<std::uint32_t>::max();

} // namespace

void OffsetLedger::receive(std::uint64_t sequence, std::int64_t offset) {
    base::require(sequence == first_sequence_ + entries_.size(), "records enter the ledger in sequence");
    base::require(entries_.empty() || offset > entries_.back().offset, "offsets of a partition rise");
    entries_.push_back({offset, unknown});
    ++unsettled_;
}

OffsetLedger::Entry& OffsetLedger::entry(std::uint64_t sequence) {
    base::require(sequence >= first_sequence_ && sequence - first_sequence_ < entries_.size(),
                  "only a received, unsettled record changes in the ledger");
    return entries_[static_cast<std::size_t>(sequence - first_sequence_)];
}

bool OffsetLedger::expect(std::uint64_t sequence, std::uint32_t deliveries) {
    Entry& found = entry(sequence);
    base::require(found.owed == unknown, "a record's deliveries are set once");
    found.owed = deliveries;
    return deliveries == 0 && settle(found);
}

bool OffsetLedger::settle_one(std::uint64_t sequence) {
    Entry& found = entry(sequence);
    base::require(found.owed != unknown && found.owed > 0, "a delivery is settled once");
    --found.owed;
    return found.owed == 0 && settle(found);
}

bool OffsetLedger::settle(Entry& entry) {
    --unsettled_;
    if (&entry != &entries_.front()) return true;
    while (!entries_.empty() && entries_.front().owed == 0) {
        settled_offset_ = entries_.front().offset + 1;
        entries_.pop_front();
        ++first_sequence_;
    }
    return true;
}

} // namespace docmap::core
