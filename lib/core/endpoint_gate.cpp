#include "core/endpoint_gate.hpp"

#include "base/invariant.hpp"

#include <utility>

namespace docmap::core {

namespace {

/// An empty queue keeps the memory for so many deliveries, so that those that come one by one need no
/// allocation.
constexpr std::size_t kept_capacity = 16;

/// The places of deliveries that have left are reused once there are so many of them, and more than half.
constexpr std::size_t min_places_to_reuse = 64;

} // namespace

EndpointGate::EndpointGate(const GateSettings& settings)
    : max_queued_(settings.max_queued), max_wait_(settings.max_wait), window_(settings.max_in_flight),
      breaker_(settings.breaker), max_attempts_per_second_(settings.max_attempts_per_second) {}

bool EndpointGate::admits(base::SteadyTime now) const {
    return !max_attempts_per_second_ && queued() < max_queued_ && breaker_.lets_through(now);
}

void EndpointGate::push(Delivery delivery, base::SteadyTime now) {
    if (max_attempts_per_second_ && !rate_limiter_) rate_limiter_.emplace(*max_attempts_per_second_, now);
    queue_.push_back({std::move(delivery), now});
}

void EndpointGate::limit_rate(std::optional<std::uint32_t> max_attempts_per_second) {
    if (max_attempts_per_second == max_attempts_per_second_) return;
    max_attempts_per_second_ = max_attempts_per_second;
    rate_limiter_.reset(); // the next attempt starts the new one
}

bool EndpointGate::can_start(base::SteadyTime now) const {
    return may_start_apart_from_rate(now) && (!rate_limiter_ || rate_limiter_->permits(now));
}

bool EndpointGate::may_start_apart_from_rate(base::SteadyTime now) const {
    if (queued() == 0) return false;
    if (!breaker_.open_until()) return in_flight_ < window_.size();
    return in_flight_ == 0 && (breaker_.lets_through(now) || queue_[first_].delivery.claim);
}

std::optional<base::SteadyTime> EndpointGate::next_start(base::SteadyTime now) const {
    if (!rate_limiter_ || rate_limiter_->permits(now) || !may_start_apart_from_rate(now)) return std::nullopt;
    return rate_limiter_->next_start(now);
}

Delivery EndpointGate::start(base::SteadyTime now) {
    base::require(can_start(now), "an endpoint's gate lets through what it said it would");
    if (max_attempts_per_second_ && !rate_limiter_) rate_limiter_.emplace(*max_attempts_per_second_, now);
    if (rate_limiter_) rate_limiter_->take(now);
    Delivery delivery = std::move(queue_[first_].delivery);
    drop_first(1);
    ++in_flight_;
    return delivery;
}

void EndpointGate::finish(EndpointAnswer answer, base::SteadyTime started, base::SteadyTime now) {
    base::require(in_flight_ > 0, "an attempt ends once");
    switch (answer) {
    case EndpointAnswer::healthy:
        window_.on_success(in_flight_);
        breaker_.on_success();
        break;
    case EndpointAnswer::overloaded:
        window_.on_overload(started, now);
        on_failure(started, now);
        break;
    case EndpointAnswer::failing:
        on_failure(started, now);
        break;
    case EndpointAnswer::unknown:
        break;
    }
    --in_flight_;
}

void EndpointGate::on_failure(base::SteadyTime started, base::SteadyTime now) {
    breaker_.on_failure(started, now);
    // An endpoint that comes back is not met with all that it could take before it went down.
    if (breaker_.open_until()) window_.restart();
}

std::vector<Delivery> EndpointGate::take_overflow(base::SteadyTime now) {
    if (!breaker_.lets_through(now)) {
        bool wants_probe = in_flight_ == 0;
        return take_if([&](const Waiting& waiting) {
            const bool is_probe = wants_probe && waiting.delivery.claim && !waits_too_long(waiting, now);
            if (is_probe) wants_probe = false;
            return !is_probe;
        });
    }
    std::vector<Delivery> overflow;
    for (std::size_t i = first_; i < queue_.size() && waits_too_long(queue_[i], now); ++i)
        overflow.push_back(std::move(queue_[i].delivery));
    drop_first(overflow.size());
    return overflow;
}

std::vector<Delivery> EndpointGate::remove_if(const std::function<bool(const Delivery&)>& predicate) {
    return take_if([&](const Waiting& waiting) { return predicate(waiting.delivery); });
}

bool EndpointGate::waits_too_long(const Waiting& waiting, base::SteadyTime now) const {
    return !max_attempts_per_second_ && now - waiting.since >= max_wait_;
}

template<typename Predicate>
std::vector<Delivery> EndpointGate::take_if(Predicate predicate) {
    std::vector<Delivery> taken;
    std::size_t kept_end = first_;
    for (std::size_t i = first_; i < queue_.size(); ++i) {
        if (predicate(queue_[i])) {
            taken.push_back(std::move(queue_[i].delivery));
        } else {
            if (kept_end != i) queue_[kept_end] = std::move(queue_[i]);
            ++kept_end;
        }
    }
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(kept_end), queue_.end());
    if (queued() == 0) on_queue_empty();
    return taken;
}

void EndpointGate::drop_first(std::size_t count) {
    first_ += count;
    if (queued() == 0) {
        on_queue_empty();
    } else if (first_ >= min_places_to_reuse && first_ * 2 >= queue_.size()) {
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

void EndpointGate::on_queue_empty() {
    queue_.clear();
    if (queue_.capacity() > kept_capacity) queue_.shrink_to_fit();
    first_ = 0;
}

} // namespace docmap::core
