#include "core/in_flight_window.hpp"

#include <algorithm>

namespace docmap::core {

InFlightWindow::InFlightWindow(std::size_t max_size)
    : max_size_(max_size), size_(std::min(first_size, max_size_)), slow_start_until_(max_size_) {}

void InFlightWindow::on_success(std::size_t in_flight) {
    if (size_ == max_size_ || in_flight < size_) return;
    if (size_ >= slow_start_until_ && ++successes_ < size_) return;
    ++size_;
    successes_ = 0;
}

void InFlightWindow::on_overload(base::SteadyTime started, base::SteadyTime now) {
    // What begins at the time of a halving begins after it: a freed place is filled at once.
    if (started < halved_at_) return;
    size_ = std::max<std::size_t>(size_ / 2, 1);
    slow_start_until_ = size_;
    successes_ = 0;
    halved_at_ = now;
}

void InFlightWindow::restart() {
    size_ = std::min(first_size, max_size_);
    slow_start_until_ = max_size_;
    successes_ = 0;
}

} // namespace docmap::core
