// What a replay delivers again: which events it is about, which deliveries of them, and what it counts.
// Pure values and functions; the command `replay` uses them on its one thread.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "core/event_decoder.hpp"
#include "core/webhook.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::core {

/// Which deliveries of the events at hand are made again.
enum class ReplayStatus : std::uint8_t {
    missing, ///< never attempted and not waiting
    failed,  ///< attempted without success, and not waiting
    all,     ///< every one that does not wait already, also what succeeded
};

/// `missing`, `failed` or `all`.
std::string_view name_of(ReplayStatus status);
std::optional<ReplayStatus> parse_replay_status(std::string_view name);

/// Which events a replay is about, and which of their deliveries.
struct ReplaySelection {
    std::optional<base::SystemTime> from; ///< of the record's timestamp, inclusive; nothing: from the start
    std::optional<base::SystemTime> to;   ///< exclusive; nothing: no such limit
    std::string user_id;                  ///< empty: every user
    std::string webhook_id;               ///< empty: every webhook
    ReplayStatus status = ReplayStatus::missing;

    bool covers(base::SystemTime time) const { return !(from && time < *from) && !(to && time >= *to); }

    friend bool operator==(const ReplaySelection&, const ReplaySelection&) = default;
};

/// As a JSON object, for the table of replays.
std::string to_json(const ReplaySelection& selection);
base::Result<ReplaySelection> parse_replay_selection(std::string_view json);

/// What became of the records read so far. `read` is the sum of `matched` and of the skipped records; the
/// deliveries of the matched events are `queued` and the skipped deliveries.
struct ReplayCounts {
    std::uint64_t read = 0;    ///< records
    std::uint64_t matched = 0; ///< events with at least one webhook to which they belong
    std::uint64_t queued = 0;  ///< deliveries
    // Records that were skipped:
    std::uint64_t outside_range = 0; ///< of another time
    std::uint64_t no_event = 0;      ///< that break the rules for events
    std::uint64_t other_user = 0;
    std::uint64_t no_webhook = 0; ///< whose user has no active webhook for such events
    // Deliveries that were skipped:
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t waiting = 0; ///< in the delivery queue already
    std::uint64_t never_attempted = 0;
    std::uint64_t too_old_to_know = 0; ///< older than the delivery log, by a webhook that is older too

    friend bool operator==(const ReplayCounts&, const ReplayCounts&) = default;
};

/// One line: `read=12 matched=10 queued=9 skipped_outside_range=1 …`, every count, always in this order.
std::string format(const ReplayCounts& counts);

/// As a JSON object, for the table of replays.
std::string to_json(const ReplayCounts& counts);
base::Result<ReplayCounts> parse_replay_counts(std::string_view json);

/// Decodes records and keeps the events that the selection covers.
class ReplayMatcher {
  public:
    ReplayMatcher(ReplaySelection selection, std::size_t max_event_bytes)
        : selection_(std::move(selection)), decoder_(max_event_bytes) {}

    /// The record's event, or null where it is counted as skipped.
    EventPtr match(const RecordPtr& record, ReplayCounts& counts);

  private:
    ReplaySelection selection_;
    EventDecoder decoder_;
};

/// An active webhook as a replay needs it: without secrets and URL.
struct ReplayWebhook {
    WebhookPtr webhook;
    base::SystemTime created_at{};
};

/// A delivery that a replay may make.
struct ReplayCandidate {
    EventPtr event;
    WebhookPtr webhook;
    /// Whether an attempt, had there been one, would still be in the delivery log.
    bool history_is_known = true;
};

/// The deliveries of `events` to those of `webhooks` that are subscribed to them and in the selection.
/// Attempts before `log_start` are not in the delivery log any more. Counts the events that match none.
std::vector<ReplayCandidate> find_candidates(std::span<const EventPtr> events,
                                             std::span<const ReplayWebhook> webhooks,
                                             const ReplaySelection& selection, base::SystemTime log_start,
                                             ReplayCounts& counts);

/// What the database knows of one event and one webhook.
enum class DeliveryState : std::uint8_t { never_attempted, failed, succeeded, waiting };

/// Whether the candidate is to be delivered again; counts it where not.
bool is_chosen(const ReplayCandidate& candidate, DeliveryState state, ReplayStatus status,
               ReplayCounts& counts);

} // namespace docmap::core
