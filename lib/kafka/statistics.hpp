// What the daemon reads out of librdkafka's statistics: whether a broker answers, and whether a partition
// moves. Pure; used on the Kafka thread.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace docmap::kafka {

struct PartitionProgress {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t next_offset = 0; ///< to be fetched next
    std::int64_t end_offset = 0;  ///< behind the last record that may be read
    bool queue_empty = false;     ///< nothing fetched waits to be read
};

struct Statistics {
    bool broker_up = false;
    std::vector<PartitionProgress> partitions; ///< those being fetched
};

/// Reads librdkafka's JSON. A text in another shape gives no broker and no partition.
Statistics parse_statistics(std::string_view json);

/// Notices partitions that hold more records and yet do not move: a batch that cannot be decoded is fetched
/// again for ever, without an error.
class ProgressWatch {
  public:
    static constexpr std::chrono::seconds patience{60};

    /// Returns the partitions that have not moved for `patience`, each once per standstill.
    std::vector<PartitionProgress> observe(const std::vector<PartitionProgress>& partitions,
                                           base::SteadyTime now);

  private:
    struct Standstill {
        std::int64_t offset = 0;
        base::SteadyTime since{};
        bool reported = false;
    };
    std::map<std::pair<std::string, std::int32_t>, Standstill> standing_;
};

} // namespace docmap::kafka
