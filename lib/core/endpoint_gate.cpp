#include "core/endpoint_gate.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace docmap::core {

Delivery EndpointGate::start() {
    base::require(can_start(), "an endpoint's gate lets through what it said it would");
    Delivery delivery = std::move(queue_[first_]);
    ++first_;
    ++in_flight_;
    if (first_ == queue_.size()) {
        queue_.clear();
        first_ = 0;
    } else if (first_ >= 64 && first_ * 2 >= queue_.size()) {
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    return delivery;
}

void EndpointGate::finish() {
    base::require(in_flight_ > 0, "an attempt ends once");
    --in_flight_;
}

std::vector<Delivery> EndpointGate::remove_if(const std::function<bool(const Delivery&)>& predicate) {
    const auto begin = queue_.begin() + static_cast<std::ptrdiff_t>(first_);
    const auto kept_end = std::stable_partition(
        begin, queue_.end(), [&](const Delivery& delivery) { return !predicate(delivery); });
    std::vector<Delivery> removed(std::make_move_iterator(kept_end), std::make_move_iterator(queue_.end()));
    queue_.erase(kept_end, queue_.end());
    return removed;
}

} // namespace docmap::core
