// What the Kafka thread sleeps on: librdkafka signals it when a queue gets its first entry, other threads
// when they want something. Must outlive the queues that signal it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>

namespace docmap::kafka {

class Wakeup {
  public:
    /// Throws std::system_error where the process has no descriptor left.
    Wakeup();
    ~Wakeup();

    Wakeup(const Wakeup&) = delete;
    Wakeup& operator=(const Wakeup&) = delete;

    /// Ends the current or the next wait. Thread-safe; costs a system call only where no signal waits yet.
    void signal();

    /// Waits for a signal, at most for `timeout`; takes all signals. Kafka thread.
    void wait(std::chrono::milliseconds timeout);

  private:
    int descriptor_; ///< an eventfd
    std::atomic<bool> signalled_{false};
};

/// From now on the queue signals when it gets its first entry; until it is released.
void signal_when_filled(rd_kafka_queue_t& queue, Wakeup& wakeup);

} // namespace docmap::kafka
