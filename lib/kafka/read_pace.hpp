// Decides how long records may gather before they are read. Where they come fast, one by one, every thread on
// their way is woken for each of them, which costs more than the delivery does; a short wait wakes them once
// for many. Where they come slowly, none waits. Pure; one owner, one thread.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstddef>

namespace docmap::kafka {

class ReadPace {
  public:
    /// `linger`: the wait where records come fast; 0: never wait.
    explicit ReadPace(std::chrono::milliseconds linger) : linger_(linger) {}

    /// A read gave so many records. Returns how long the next ones may gather.
    std::chrono::milliseconds after_read(std::size_t records, base::SteadyTime now);

  private:
    std::chrono::milliseconds linger_;
    double recent_records_ = 0; ///< of the memory's length, older ones counting less
    base::SteadyTime last_read_{};
};

} // namespace docmap::kafka
