#include "core/replay_filter.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace docmap::core {

bool ReplayFilter::add_page(std::vector<RecordedDelivery> page, bool full) {
    if (full && !page.empty()) {
        const std::int64_t last = page.back().offset;
        if (page.front().offset == last) return false;
        const auto cut = std::find_if(page.begin(), page.end(),
                                      [last](const RecordedDelivery& row) { return row.offset == last; });
        page.erase(cut, page.end());
        next_page_offset_ = last;
    } else {
        complete_ = true;
    }
    rows_.insert(rows_.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
    return true;
}

std::vector<RecordedDelivery> ReplayFilter::take(std::int64_t offset) {
    base::require(covers(offset), "a replayed record waits for its page");
    while (!rows_.empty() && rows_.front().offset < offset)
        rows_.pop_front();
    std::vector<RecordedDelivery> found;
    while (!rows_.empty() && rows_.front().offset == offset) {
        found.push_back(std::move(rows_.front()));
        rows_.pop_front();
    }
    return found;
}

} // namespace docmap::core
