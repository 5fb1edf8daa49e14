// How many attempts to one endpoint may be in flight: grows with what the endpoint answers (slow start, then
// by one per window), halves when it is overloaded. Like TCP's congestion window (RFC 5681), in attempts.
// Pure; lives with its endpoint's gate.
#pragma once

#include "base/time.hpp"

#include <cstddef>

namespace docmap::core {

class InFlightWindow {
  public:
    /// Small: that many attempts to each of many dead endpoints are what the healthy ones wait behind.
    static constexpr std::size_t first_size = 2;

    /// `max_size` is at least 1.
    explicit InFlightWindow(std::size_t max_size);

    /// Attempts that may be in flight now; at least 1, at most `max_size`.
    std::size_t size() const { return size_; }

    /// An attempt succeeded while `in_flight` were in flight, itself included. A window that is not used does
    /// not grow.
    void on_success(std::size_t in_flight);

    /// An attempt that began at `started` ran into its deadline or was told to come later: halves the window,
    /// once for all attempts that began before the last halving.
    void on_overload(base::SteadyTime started, base::SteadyTime now);

    /// Nothing is known any more of what the endpoint can take: begins as at first.
    void restart();

  private:
    std::size_t max_size_;
    std::size_t size_;
    std::size_t slow_start_until_; ///< size from which on growth is slow
    std::size_t successes_ = 0;    ///< since the last growth, in the slow phase
    base::SteadyTime halved_at_ = base::SteadyTime::min();
};

} // namespace docmap::core
