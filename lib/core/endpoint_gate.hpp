// The queue in front of one endpoint, and how many attempts to it may be in flight.
// Pure; lives on the shard's thread, one per endpoint.
#pragma once

#include "core/attempt.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace docmap::core {

class EndpointGate {
  public:
    explicit EndpointGate(std::size_t max_in_flight) : max_in_flight_(max_in_flight) {}

    /// Deliveries leave in the order in which they came.
    void push(Delivery delivery) { queue_.push_back(std::move(delivery)); }

    /// A delivery waits and the endpoint may take one more.
    bool can_start() const { return queued() > 0 && in_flight_ < max_in_flight_; }

    /// Takes the next delivery out and counts it as in flight. Only where can_start().
    Delivery start();

    /// An attempt that was started has ended.
    void finish();

    /// Takes out, in order, every waiting delivery for which `predicate` holds.
    std::vector<Delivery> remove_if(const std::function<bool(const Delivery&)>& predicate);

    std::size_t queued() const { return queue_.size() - first_; }
    std::size_t in_flight() const { return in_flight_; }
    bool idle() const { return queued() == 0 && in_flight_ == 0; }

  private:
    std::size_t max_in_flight_;
    std::size_t in_flight_ = 0;
    std::vector<Delivery> queue_; ///< waiting deliveries from first_ on: no memory while the queue is empty
    std::size_t first_ = 0;
};

} // namespace docmap::core
