// What a replay shows on standard error: a bar on a terminal, a plain line now and then elsewhere, and
// messages between them. One thread.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <string>

namespace docmap::daemon {

class ReplayDisplay {
  public:
    ReplayDisplay();
    ~ReplayDisplay() { clear(); }

    ReplayDisplay(const ReplayDisplay&) = delete;
    ReplayDisplay& operator=(const ReplayDisplay&) = delete;

    /// The work begins: `total` offsets, of which `done` were done by earlier runs.
    void begin(std::uint64_t total, std::uint64_t done);

    /// Shows how far it is, unless it was shown a moment ago.
    void update(std::uint64_t done, std::uint64_t queued);

    /// Prints a line of its own.
    void tell(const std::string& message);

    /// Takes the bar away.
    void clear();

  private:
    bool terminal_;
    bool bar_shown_ = false;
    std::uint64_t total_ = 0;
    std::uint64_t done_before_ = 0;
    base::SteadyTime started_at_{};
    base::SteadyTime shown_at_{};
};

} // namespace docmap::daemon
