// Reads ranges of partitions, each from one offset up to another, outside the consumer group's membership: it
// joins no group and commits nothing. For commands, not for the daemon. Blocking; belongs to the thread that
// made it. Memory is bounded by librdkafka's queues (about 64 MiB) and what the caller keeps.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "core/record.hpp"
#include "kafka/handles.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace docmap::kafka {

/// What exists of a partition, and what of it the daemon is done with.
struct PartitionBounds {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t low = 0;       ///< the oldest offset there is
    std::int64_t high = 0;      ///< the offset that the next record gets
    std::int64_t committed = 0; ///< the group has settled everything below it; `low` where it never committed
};

/// What to read of a partition: offsets in `[next, end)`.
struct PartitionRange {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t next = 0; ///< moves on as records are read
    std::int64_t end = 0;

    bool finished() const { return next >= end; }
    friend bool operator==(const PartitionRange&, const PartitionRange&) = default;
};

class RangeReader {
  public:
    /// Fails where librdkafka refuses the configuration. `config` must outlive the reader and its records.
    static base::Result<std::unique_ptr<RangeReader>> open(const config::Kafka& config);

    RangeReader(const RangeReader&) = delete;
    RangeReader& operator=(const RangeReader&) = delete;
    ~RangeReader();

    /// The bounds of every partition of the configured topics. Takes at most about `timeout`; fails where no
    /// broker answers or a topic cannot be read.
    base::Result<std::vector<PartitionBounds>> find_bounds(std::chrono::milliseconds timeout);

    /// Moves `next` of each range to the first record with a timestamp of `from` or later; to `end` where
    /// there is none. Records before it are all older; not all records behind it are younger.
    base::Result<bool> skip_to(base::SystemTime from, std::vector<PartitionRange>& ranges,
                               std::chrono::milliseconds timeout);

    /// Begins to read. Every topic must be a configured one. Where the topic's timestamps are the broker's
    /// own (LogAppendTime), a partition ends at the first record of `to` or later; with timestamps of the
    /// producers a later record may be an older one, so it is read to its end. Call once.
    base::Result<void> start(std::vector<PartitionRange> ranges, std::optional<base::SystemTime> to);

    /// Up to `max_records` records or about `max_bytes`, in the order of their partitions. Waits at most
    /// `wait` for the first; none is no error unless nothing has come for `patience`. The records are of no
    /// assignment.
    base::Result<std::vector<core::RecordPtr>> read(std::size_t max_records, std::size_t max_bytes,
                                                    std::chrono::milliseconds wait);

    /// All ranges are read.
    bool finished() const { return open_ranges_ == 0; }

    /// The ranges with how far each was read.
    const std::vector<PartitionRange>& ranges() const { return ranges_; }

    /// Offsets that were in a range but that Kafka had dropped before they could be read.
    std::uint64_t dropped() const { return dropped_; }

    /// A broker that says nothing for so long is taken to be away.
    void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

  private:
    explicit RangeReader(const config::Kafka& config) : config_(config) {}

    static void on_error(rd_kafka_t* client, int error, const char* reason, void* opaque);
    base::Result<void> connect(std::size_t partitions);
    std::string why(rd_kafka_resp_err_t error);
    base::Result<std::vector<PartitionBounds>> list_partitions(std::chrono::milliseconds timeout);
    base::Result<void> find_committed(std::vector<PartitionBounds>& bounds,
                                      std::chrono::milliseconds timeout);
    base::Result<std::vector<std::int64_t>> look_up(base::SystemTime time,
                                                    const std::vector<PartitionRange>& ranges,
                                                    std::chrono::milliseconds timeout);
    base::Result<void> assign();
    base::Result<void> take(const rd_kafka_message_t& message, std::vector<core::RecordPtr>& records,
                            std::size_t& bytes);
    base::Result<void> take_error(const rd_kafka_message_t& message);
    base::Result<void> skip_dropped(PartitionRange& range);
    PartitionRange* find(const rd_kafka_message_t& message);
    void finish(PartitionRange& range);

    const config::Kafka& config_;
    std::string last_failure_;
    ClientPtr client_;
    std::vector<PartitionRange> ranges_;
    std::vector<const std::string*> topics_; ///< of each range: the configuration's own text
    std::size_t open_ranges_ = 0;
    std::optional<base::SystemTime> to_;
    std::uint64_t dropped_ = 0;
    std::chrono::milliseconds patience_{60'000};
    std::chrono::steady_clock::time_point last_sign_of_life_{};
};

} // namespace docmap::kafka
