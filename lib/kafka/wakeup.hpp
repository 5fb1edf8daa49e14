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

/// Remembers that a queue got its first entry, and wakes the Kafka thread for it. Asking a queue that is
/// empty is a system call (librdkafka waits for no time at all), so that only those are asked that have
/// something. Has to outlive its queue.
class QueueSignal {
  public:
    explicit QueueSignal(Wakeup& wakeup) : wakeup_(wakeup) {}

    /// From now on the queue signals here, until it is released.
    void attach(rd_kafka_queue_t& queue);

    /// The queue may have something. Thread-safe.
    void set() { filled_.store(true); }

    /// Whether the queue may have something; until it is set again, no. Kafka thread.
    bool take() { return filled_.load() && filled_.exchange(false); }

  private:
    Wakeup& wakeup_;
    std::atomic<bool> filled_{true};
};

} // namespace docmap::kafka
