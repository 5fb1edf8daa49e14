// How many events and bytes the Kafka thread may still hand over. The control thread adds what was settled;
// the Kafka thread takes what it hands over. Lock-free; owned by the consumer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace docmap::kafka {

class Allowance {
  public:
    /// Adds to the allowance. Returns whether it was exhausted before, which means that the reader may be
    /// asleep and has to be woken. Thread-safe.
    bool grant(std::size_t events, std::size_t bytes) {
        const std::int64_t events_before = events_.fetch_add(static_cast<std::int64_t>(events));
        const std::int64_t bytes_before = bytes_.fetch_add(static_cast<std::int64_t>(bytes));
        return events_before <= 0 || bytes_before <= 0;
    }

    /// Counts what was handed over. Bytes may fall below zero, since a record's size is known only once it is
    /// read; the debt is paid by later grants. Reader's thread.
    void take(std::size_t events, std::size_t bytes) {
        events_.fetch_sub(static_cast<std::int64_t>(events));
        bytes_.fetch_sub(static_cast<std::int64_t>(bytes));
    }

    /// At most this many records may be read now, where `record_bytes` is what one of them may be expected to
    /// take. 0: exhausted. To be asked again after each take(), before the reader goes to sleep.
    std::size_t records(std::size_t record_bytes) const {
        const std::int64_t events = events_.load();
        const std::int64_t bytes = bytes_.load();
        if (events <= 0 || bytes <= 0) return 0;
        const std::size_t by_bytes = static_cast<std::size_t>(bytes) / record_bytes + 1;
        const std::size_t by_events = static_cast<std::size_t>(events);
        return by_bytes < by_events ? by_bytes : by_events;
    }

    bool exhausted() const { return records(1) == 0; }

  private:
    std::atomic<std::int64_t> events_{0};
    std::atomic<std::int64_t> bytes_{0};
};

} // namespace docmap::kafka
