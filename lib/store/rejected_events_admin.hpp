// Rejected records as an operator looks at them and feeds them in again on the command line.
// Blocking; each object and call belongs to one thread. Prints nothing.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "store/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace docmap::store {

/// A rejected record without its key and value.
struct RejectedEventView {
    std::int64_t id = 0;
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    base::SystemTime rejected_at{};
    std::string reason;
    std::optional<std::int64_t> value_bytes; ///< nothing: the record has no value
    std::optional<base::SystemTime> replayed_at;
};

struct RejectedEventFilter {
    std::size_t limit = 50;
    std::string topic{};                     ///< empty: every topic
    std::optional<base::SystemTime> since{}; ///< rejected then or later
    bool replayed_too = false;
};

/// Newest first.
base::Result<std::vector<RejectedEventView>> list_rejected_events(const config::Postgres& settings,
                                                                  const RejectedEventFilter& filter);

/// A rejected record, whole.
struct RejectedEvent {
    std::int64_t id = 0;
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::optional<base::SystemTime> replayed_at;
};

/// Feeds rejected records in again, one at a time. Holds one connection.
class RejectedEvents {
  public:
    static base::Result<std::unique_ptr<RejectedEvents>> open(const config::Postgres& settings);

    RejectedEvents(const RejectedEvents&) = delete;
    RejectedEvents& operator=(const RejectedEvents&) = delete;

    /// Ids above `after` of records that were not fed in again, oldest first, at most `limit`.
    base::Result<std::vector<std::int64_t>> not_replayed(std::int64_t after, std::size_t limit);

    /// Feeds a record in. An error is what keeps it from being fed in, and nothing is marked then.
    using Feed = std::function<base::Result<void>(const RejectedEvent&)>;

    /// Hands the record to `feed` and, once that has succeeded, stores when. The row is locked meanwhile, so
    /// that no two processes feed it in; `feed` has the statement timeout for it. Fails where there is no
    /// such record, or another process has it. Where the database is lost after `feed`, the record is in
    /// Kafka but not marked.
    base::Result<void> replay(std::int64_t id, const Feed& feed);

  private:
    explicit RejectedEvents(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

    std::unique_ptr<Connection> connection_;
};

} // namespace docmap::store
