// One assignment of one partition to this process. Shared between the Kafka thread, which commits, and the
// control thread, which settles. A revoked assignment is dropped by both; what is settled on it later is
// never committed.
#pragma once

#include "core/record.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace docmap::core {

class Assignment {
  public:
    /// `first_offset` is the lowest offset that may be received: the committed one, or the start of the log.
    Assignment(AssignmentId id, const std::string& topic, std::int32_t partition, std::int64_t first_offset)
        : id_(id), topic_(topic), partition_(partition), first_offset_(first_offset) {}

    AssignmentId id() const { return id_; }
    const std::string& topic() const { return topic_; }
    std::int32_t partition() const { return partition_; }
    std::int64_t first_offset() const { return first_offset_; }

    /// Everything below `offset` is settled; only ever rises. Control thread.
    void publish_settled(std::int64_t offset) { settled_offset_.store(offset, std::memory_order_release); }

    /// The offset to commit: the one behind the settled prefix, or -1 where nothing is settled yet.
    std::int64_t settled_offset() const { return settled_offset_.load(std::memory_order_acquire); }

  private:
    AssignmentId id_;
    const std::string& topic_; ///< interned, lives as long as the process
    std::int32_t partition_;
    std::int64_t first_offset_;
    std::atomic<std::int64_t> settled_offset_{-1};
};

using AssignmentPtr = std::shared_ptr<Assignment>;

} // namespace docmap::core
