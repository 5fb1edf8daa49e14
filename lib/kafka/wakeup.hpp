// What the Kafka thread sleeps on: librdkafka signals it when a queue gets its first entry, other threads
// when they want something. An eventfd: it never runs full, and librdkafka gives up a descriptor it cannot
// write to. Must outlive the queues that were given its descriptor.
#pragma once

#include <chrono>

namespace docmap::kafka {

class Wakeup {
  public:
    /// Throws std::system_error where the process has no descriptor left.
    Wakeup();
    ~Wakeup();

    Wakeup(const Wakeup&) = delete;
    Wakeup& operator=(const Wakeup&) = delete;

    /// Ends the current or the next wait. Thread-safe.
    void signal();

    /// Waits for a signal, at most for `timeout`; takes all signals. Kafka thread.
    void wait(std::chrono::milliseconds timeout);

    /// A signal is 8 bytes written here: a number in the machine's byte order.
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

} // namespace docmap::kafka
