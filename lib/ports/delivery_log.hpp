// Where attempts and rejected records are stored, as the pipeline sees it. Implemented over PostgreSQL.
#pragma once

#include "base/error.hpp"
#include "core/attempt.hpp"
#include "core/replay_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace docmap::ports {

/// Whether a batch is written for the first time, or after a write whose effect is unknown.
enum class WriteTry { first, again };

/// Stores batches of `Row`, each batch in one transaction. Storing a row again changes nothing.
template<typename Row>
class BatchLog {
  public:
    /// Hands the batch back, so that the caller can settle it or try it again.
    using Written = std::function<void(base::Result<void>, std::vector<Row>)>;

    virtual ~BatchLog() = default;

    /// `done` runs on the control thread, never inside the call. After an error nothing or all may be stored
    /// (a connection lost during COMMIT): the caller writes the same batch again, and says so.
    virtual void write(std::vector<Row> batch, WriteTry write_try, Written done) = 0;
};

using AttemptLog = BatchLog<core::AttemptRecord>;
using RejectedRecordLog = BatchLog<core::RejectedRecord>;

class RecordedDeliveries {
  public:
    using Found = std::function<void(base::Result<std::vector<core::RecordedDelivery>>)>;

    virtual ~RecordedDeliveries() = default;

    /// What is recorded of a partition from `first_offset` on, as an attempt or as a row of the delivery
    /// queue, in offset order, at most `limit` rows. `done` runs on the control thread, never inside the
    /// call.
    virtual void find(const std::string& topic, std::int32_t partition, std::int64_t first_offset,
                      std::size_t limit, Found done) = 0;
};

} // namespace docmap::ports
