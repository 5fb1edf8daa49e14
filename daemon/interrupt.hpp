// SIGINT and SIGTERM as a question that a command asks now and then. One per process.
#pragma once

#include <chrono>

namespace docmap::daemon {

class Interrupt {
  public:
    /// From now on the first of the two signals is only noted; a second one ends the process as usual.
    Interrupt();

    bool requested() const;

    /// Sleeps, but not beyond a signal. False where there was one.
    bool sleep(std::chrono::milliseconds duration) const;
};

} // namespace docmap::daemon
