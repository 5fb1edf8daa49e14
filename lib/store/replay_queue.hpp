// What a replay reads and writes in the database: its own row, the users' webhooks, what is known of the
// deliveries at hand, and the rows of the delivery queue. One connection, held for the whole replay.
// Blocking; belongs to one thread. After an error of the database nothing or all of the last change may have
// happened: whoever resumes the replay finds out from its row.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "core/replay.hpp"
#include "store/connection.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace docmap::store {

/// Where a replay is in a partition: it reads offsets in `[first, end)` and has come to `next`.
struct ReplayPosition {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t first = 0;
    std::int64_t next = 0;
    std::int64_t end = 0;

    friend bool operator==(const ReplayPosition&, const ReplayPosition&) = default;
};

struct StoredReplay {
    std::string id; ///< `replay-` + 12 of `a-z0-9`
    core::ReplaySelection selection;
    core::ReplayCounts counts;
    std::vector<ReplayPosition> positions;
    std::optional<base::SystemTime> finished_at;
};

/// A webhook that was asked for by its id.
struct FoundWebhook {
    core::ReplayWebhook webhook;
    bool active = false;
};

/// Candidates out of records that were read, with what follows from the records themselves.
struct ReplayBatch {
    std::span<const core::ReplayCandidate> candidates;
    core::ReplayStatus status = core::ReplayStatus::missing;
    core::ReplayCounts counts; ///< without what becomes of the candidates
};

class ReplayQueue {
  public:
    /// Connects. Fails on a database that is away, or whose schema is not this program's.
    static base::Result<std::unique_ptr<ReplayQueue>> open(const config::Postgres& settings);

    ReplayQueue(const ReplayQueue&) = delete;
    ReplayQueue& operator=(const ReplayQueue&) = delete;

    /// Whether an instance of the daemon is alive.
    base::Result<bool> instance_is_alive();

    /// The webhook with this id, if there is one.
    base::Result<std::optional<FoundWebhook>> find_webhook(const std::string& id);

    /// The active webhooks of these users.
    base::Result<std::vector<core::ReplayWebhook>> webhooks_of(std::span<const std::string> user_ids);

    /// Stores a new replay, and removes those that began 30 days ago. The replay is this object's until it is
    /// destroyed: no other process can go on with it.
    base::Result<StoredReplay> begin(const core::ReplaySelection& selection,
                                     std::span<const ReplayPosition> positions);

    /// A stored replay. Fails where there is none with this id.
    base::Result<StoredReplay> load(const std::string& id);

    /// Takes over a replay that was interrupted. Fails where it is unknown, finished, or running in another
    /// process.
    base::Result<StoredReplay> resume(const std::string& id);

    /// What queue() would count. Changes nothing.
    base::Result<core::ReplayCounts> preview(const ReplayBatch& batch);

    /// Looks up what is known of the candidates, queues those that are chosen, and stores counts and
    /// positions of the replay, all in one transaction. Replays do this one at a time, so that none queues
    /// what another has just queued. Running daemons are notified. Returns the counts as stored.
    base::Result<core::ReplayCounts> queue(const std::string& id, const ReplayBatch& batch,
                                           std::span<const ReplayPosition> positions);

    /// Marks the replay as finished.
    base::Result<void> finish(const std::string& id);

  private:
    explicit ReplayQueue(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

    std::unique_ptr<Connection> connection_;
};

} // namespace docmap::store
