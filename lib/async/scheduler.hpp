// Time, timers and turns of one thread, as single-threaded parts use them.
// One scheduler per thread. Real threads have one over Asio; a simulation has one with a virtual clock.
#pragma once

#include "base/time.hpp"

#include <functional>
#include <memory>

namespace docmap::async {

/// A timer that runs one callback. Belongs to the scheduler's thread; destroying it cancels it.
class Timer {
  public:
    virtual ~Timer() = default;

    /// Runs the callback at `time`, in place of whatever was set before.
    virtual void set(base::SteadyTime time) = 0;
    virtual void cancel() = 0;
    virtual bool pending() const = 0;
};

class Scheduler {
  public:
    virtual ~Scheduler() = default;

    virtual base::SteadyTime now() const = 0;
    virtual base::SystemTime wall_now() const = 0;

    /// `callback` runs on the scheduler's thread and must outlive the timer.
    virtual std::unique_ptr<Timer> make_timer(std::function<void()> callback) = 0;

    /// Runs `task` on the scheduler's thread, after the current turn. Thread-safe.
    virtual void post(std::function<void()> task) = 0;
};

} // namespace docmap::async
