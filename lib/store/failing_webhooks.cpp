#include "store/failing_webhooks.hpp"

#include "core/failure_streak.hpp"
#include "store/webhook_rows.hpp"

#include <cstdint>
#include <optional>

namespace docmap::store {

namespace {

constexpr Statement delete_stale = {"delete_stale_failures",
                                    "DELETE FROM failing_webhooks f WHERE NOT EXISTS ("
                                    "  SELECT 1 FROM webhooks w WHERE w.id = f.webhook_id AND w.active)"};

// The rest waits for the next round.
constexpr Statement select_candidates = {
    "select_failing_webhooks",
    "SELECT webhook_id, user_id, (extract(epoch FROM failing_since) * 1000)::bigint, "
    "(extract(epoch FROM last_failed_at) * 1000)::bigint FROM failing_webhooks "
    "WHERE last_failed_at - failing_since >= $1::bigint * interval '1 millisecond' "
    "ORDER BY failing_since LIMIT 1000"};

// Reads the user's deliveries backwards: of a webhook that works, the first success comes soon.
constexpr Statement select_last_success = {
    "select_last_success",
    "SELECT (extract(epoch FROM created_at) * 1000)::bigint FROM deliveries "
    "WHERE user_id = $1 AND webhook_id = $2 AND success AND created_at >= to_timestamp($3::bigint / 1000.0) "
    "ORDER BY created_at DESC, id DESC LIMIT 1"};

constexpr Statement move_start = {
    "move_failing_since",
    "UPDATE failing_webhooks f SET failing_since = first.created_at FROM ("
    "  SELECT created_at FROM deliveries WHERE user_id = $1 AND webhook_id = $2 AND NOT success "
    "  AND created_at > to_timestamp($3::bigint / 1000.0) ORDER BY created_at, id LIMIT 1) AS first "
    "WHERE f.webhook_id = $2"};

constexpr Statement delete_forgiven = {"delete_forgiven_failures",
                                       "DELETE FROM failing_webhooks WHERE webhook_id = $1 AND "
                                       "last_failed_at <= to_timestamp($2::bigint / 1000.0)"};

// Triggers tell the instances, make what waits end, and delete the failures.
constexpr Statement deactivate = {
    "deactivate_failing_webhook",
    "UPDATE webhooks SET active = false, deactivated_at = now() WHERE id = $1 AND active"};

struct Candidate {
    std::string webhook_id;
    std::string user_id;
    core::FailureStreak streak;
};

std::int64_t milliseconds(base::SystemTime time) {
    return time.time_since_epoch().count();
}

std::vector<Candidate> candidates(Connection& connection, std::chrono::milliseconds deactivate_after) {
    std::vector<Candidate> found;
    for (const auto& row : connection.run(select_candidates, deactivate_after.count()))
        found.push_back({row[0].as<std::string>(),
                         row[1].as<std::string>(),
                         {from_milliseconds(row[2].as<std::int64_t>()),
                          from_milliseconds(row[3].as<std::int64_t>()), std::nullopt}});
    for (Candidate& candidate : found) {
        const pqxx::result rows = connection.run(select_last_success, candidate.user_id, candidate.webhook_id,
                                                 milliseconds(candidate.streak.failing_since));
        if (!rows.empty())
            candidate.streak.last_success_at = from_milliseconds(rows[0][0].as<std::int64_t>());
    }
    return found;
}

void forgive(Connection& connection, const Candidate& candidate) {
    const std::int64_t success = milliseconds(*candidate.streak.last_success_at);
    connection.run(move_start, candidate.user_id, candidate.webhook_id, success);
    connection.run(delete_forgiven, candidate.webhook_id, success);
}

} // namespace

std::vector<FailingWebhook> judge_failing_webhooks(Connection& connection,
                                                   std::chrono::milliseconds deactivate_after) {
    std::vector<FailingWebhook> deactivated;
    connection.run(delete_stale);
    for (const Candidate& candidate : candidates(connection, deactivate_after)) {
        switch (core::judge_streak(candidate.streak, deactivate_after)) {
        case core::StreakVerdict::goes_on:
            break;
        case core::StreakVerdict::forgiven:
            forgive(connection, candidate);
            break;
        case core::StreakVerdict::deactivate:
            if (connection.run(deactivate, candidate.webhook_id).affected_rows() > 0)
                deactivated.push_back({candidate.webhook_id, candidate.user_id,
                                       base::format_iso8601(candidate.streak.failing_since)});
            break;
        }
    }
    return deactivated;
}

} // namespace docmap::store
