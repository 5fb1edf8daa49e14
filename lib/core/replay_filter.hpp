// What was recorded of a partition before it was assigned, page by page: tells which deliveries of a record
// that is read again are done already. Pure; lives on the control thread, one per assignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace docmap::core {

/// A delivery that was recorded before: its first attempt is stored, or it waits in the delivery queue.
struct RecordedDelivery {
    std::int64_t offset = 0;
    std::string webhook_id;
    std::uint64_t body_hash = 0;
};

class ReplayFilter {
  public:
    explicit ReplayFilter(std::int64_t first_offset) : next_page_offset_(first_offset) {}

    /// Whether all that is recorded of `offset` is known. Where not, the next page must be added first.
    bool covers(std::int64_t offset) const { return complete_ || offset < next_page_offset_; }

    /// From which offset the next page has to be read.
    std::int64_t next_page_offset() const { return next_page_offset_; }

    /// Adds the page read from next_page_offset(), in offset order. `full`: it was cut off at its limit, so
    /// the last offset in it may be incomplete. Returns false where a full page holds one offset alone: such
    /// a page does not move on and has to be read again with a higher limit.
    bool add_page(std::vector<RecordedDelivery> page, bool full);

    /// Takes out what is recorded of `offset`, which must be covered and higher than in the call before.
    std::vector<RecordedDelivery> take(std::int64_t offset);

    /// Nothing is recorded from here on: the filter is of no more use.
    bool exhausted() const { return complete_ && rows_.empty(); }

  private:
    std::deque<RecordedDelivery> rows_;
    std::int64_t next_page_offset_;
    bool complete_ = false;
};

} // namespace docmap::core
