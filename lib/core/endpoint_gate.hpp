// What stands in front of one endpoint: a queue, a window that limits the attempts in flight to what the
// endpoint can take, a circuit breaker and, for some webhooks, a rate limit. What must not wait in memory any
// longer is taken out with take_overflow() and belongs into the delivery queue. Pure; lives on the shard's
// thread, one per endpoint: small, and without memory of its own until two deliveries wait. `now` must not go
// back from call to call.
#pragma once

#include "core/attempt.hpp"
#include "core/circuit_breaker.hpp"
#include "core/in_flight_window.hpp"
#include "core/rate_limiter.hpp"
#include "core/verdict.hpp"

#include <boost/container/small_vector.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace docmap::core {

struct GateSettings {
    std::size_t max_in_flight = 32;
    std::size_t max_queued = 10000;           ///< deliveries that may wait in memory
    std::chrono::milliseconds max_wait{2000}; ///< longest that a delivery may wait in memory
    BreakerSettings breaker;
    std::optional<std::uint32_t> max_attempts_per_second;
};

class EndpointGate {
  public:
    explicit EndpointGate(const GateSettings& settings);

    /// Whether a delivery that was just read may wait here. If not it has to be parked: the breaker is open,
    /// the queue is full, or the endpoint has a rate limit, which is kept where all instances meet: in the
    /// delivery queue.
    bool admits(base::SteadyTime now) const;

    /// Deliveries leave in the order in which they came. Claimed ones (`delivery.claim`) may always be
    /// pushed: whoever claims them knows the endpoint's state and its limit.
    void push(Delivery delivery, base::SteadyTime now);

    /// A delivery waits and the endpoint may take one more. Until an open breaker has closed, that is one at
    /// a time, the probe, and only once nothing else is in flight. While the breaker's pause lasts the probe
    /// must be a claimed delivery; others do not wait here then.
    bool can_start(base::SteadyTime now) const;

    /// The delivery that start() would take out. Only where queued() > 0.
    const Delivery& next() const { return queue_[first_].delivery; }

    /// When can_start() turns true without any other call, because of the rate limit; nothing where it is
    /// true already or only other calls can change it.
    std::optional<base::SteadyTime> next_start(base::SteadyTime now) const;

    /// Takes the next delivery out and counts it as in flight. Only where can_start(now).
    Delivery start(base::SteadyTime now);

    /// An attempt that began at `started` has ended with `answer`.
    void finish(EndpointAnswer answer, base::SteadyTime started, base::SteadyTime now);

    /// Takes out, in order, what must not wait here any longer: what has waited for `max_wait`, and
    /// everything while the breaker's pause lasts, but for a claimed delivery that may be the probe. Where
    /// there is a rate limit waiting is no sign of trouble: whoever claims deliveries claims few.
    std::vector<Delivery> take_overflow(base::SteadyTime now);

    /// Takes out, in order, every waiting delivery for which `predicate` holds.
    std::vector<Delivery> remove_if(const std::function<bool(const Delivery&)>& predicate);

    /// Sets the rate limit from now on; nothing: none.
    void limit_rate(std::optional<std::uint32_t> max_attempts_per_second);

    /// The end of the breaker's pause, also once it is over but no attempt has succeeded since; nothing while
    /// the breaker is closed.
    std::optional<base::SteadyTime> open_until() const { return breaker_.open_until(); }

    /// Whether a new gate in its place would keep the rate limit too.
    bool keeps_rate_if_new(base::SteadyTime now) const {
        return !rate_limiter_ || rate_limiter_->permits(now);
    }

    std::size_t queued() const { return queue_.size() - first_; }
    std::size_t in_flight() const { return in_flight_; }
    bool idle() const { return queued() == 0 && in_flight_ == 0; }

  private:
    struct Waiting {
        Delivery delivery;
        base::SteadyTime since;
    };

    bool may_start_apart_from_rate(base::SteadyTime now) const;
    bool waits_too_long(const Waiting& waiting, base::SteadyTime now) const;
    void drop_first(std::size_t count);
    template<typename Predicate>
    std::vector<Delivery> take_if(Predicate predicate);
    void on_queue_empty();
    void on_failure(base::SteadyTime started, base::SteadyTime now);

    boost::container::small_vector<Waiting, 1>
        queue_; ///< what waits is from first_ on, in the order of `since`
    std::size_t first_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t max_queued_;
    std::chrono::milliseconds max_wait_;
    InFlightWindow window_;
    CircuitBreaker breaker_;
    std::optional<std::uint32_t> max_attempts_per_second_;
    std::optional<RateLimiter> rate_limiter_; ///< where there is such a limit, from the first push on
};

} // namespace docmap::core
