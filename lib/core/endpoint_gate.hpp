// What stands in front of one endpoint: a queue, a window that limits the attempts in flight to what the
// endpoint can take, a circuit breaker and, for some webhooks, a rate limit. What must not wait in memory any
// longer is taken out with take_overflow() and belongs into the delivery queue. Pure; lives on the shard's
// thread, one per endpoint. `now` must not go back from call to call.
#pragma once

#include "core/attempt.hpp"
#include "core/circuit_breaker.hpp"
#include "core/in_flight_window.hpp"
#include "core/rate_limiter.hpp"
#include "core/verdict.hpp"

#include <chrono>
#include <cstddef>
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

    /// A delivery waits and the endpoint may take one more. While the breaker is open that is one claimed
    /// delivery at a time, the probe; other deliveries do not wait here then.
    bool can_start(base::SteadyTime now);

    /// When can_start() may turn true without any other call, because of the rate limit; nothing where only
    /// other calls can change it.
    std::optional<base::SteadyTime> next_start(base::SteadyTime now) const;

    /// Takes the next delivery out and counts it as in flight. Only where can_start(now).
    Delivery start(base::SteadyTime now);

    /// An attempt that began at `started` has ended with `answer`.
    void finish(EndpointAnswer answer, base::SteadyTime started, base::SteadyTime now);

    /// Takes out, in order, what must not wait here any longer: what has waited for `max_wait`, and
    /// everything while the breaker is open, but for a claimed delivery that may be the probe.
    std::vector<Delivery> take_overflow(base::SteadyTime now);

    /// Takes out, in order, every waiting delivery for which `predicate` holds.
    std::vector<Delivery> remove_if(const std::function<bool(const Delivery&)>& predicate);

    /// Sets the rate limit from now on; nothing: none.
    void limit_rate(std::optional<std::uint32_t> max_attempts_per_second);

    /// Until when the breaker lets nothing but probes through; nothing while it is closed.
    std::optional<base::SteadyTime> open_until() const;

    std::size_t queued() const;
    std::size_t in_flight() const;
    bool idle() const { return queued() == 0 && in_flight() == 0; }
};

} // namespace docmap::core
