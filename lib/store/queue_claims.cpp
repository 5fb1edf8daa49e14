#include "store/queue_claims.hpp"

#include "store/array_literal.hpp"
#include "store/queued_rows.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

namespace docmap::store {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t end_portion = 10000;

/// An endpoint that is due but was not claimed is locked by a batch that is being written: asking again at
/// once would be a loop.
constexpr milliseconds locked_pause{20};

// The lock on the instance makes whoever takes it for dead wait, and so find these claims. Locks of the
// endpoints are never waited for: an endpoint whose row is being changed is claimed a moment later.
constexpr Statement claim = {
    "claim_endpoints",
    "WITH alive AS MATERIALIZED (SELECT 1 FROM instances WHERE id = $1 FOR KEY SHARE), "
    "due AS MATERIALIZED ("
    "  SELECT webhook_id FROM queued_endpoints "
    "  WHERE owner IS NULL AND due_at <= now() AND EXISTS (SELECT 1 FROM alive) "
    "  ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
    "UPDATE queued_endpoints e SET owner = $1 FROM due WHERE e.webhook_id = due.webhook_id "
    "RETURNING e.webhook_id, e.user_id, e.failures, extract(epoch FROM e.due_at)::float8, "
    "EXISTS (SELECT 1 FROM webhooks w WHERE w.id = e.webhook_id AND w.active)"};

// Bytes are counted over all endpoints, their first rows first, so that none takes another's share. Sizes are
// known without reading the bodies, which are fetched only for the rows that fit.
constexpr Statement select_due = {
    "select_due_rows",
    "WITH wanted AS MATERIALIZED (SELECT unnest($2::text[]) AS webhook_id, unnest($3::bigint[]) AS most), "
    "first AS MATERIALIZED ("
    "  SELECT e.webhook_id, e.user_id, e.failures, q.id, q.size, "
    "    row_number() OVER (PARTITION BY e.webhook_id ORDER BY q.due_at, q.id) AS place "
    "  FROM wanted JOIN queued_endpoints e ON e.webhook_id = wanted.webhook_id AND e.owner = $1 "
    "  CROSS JOIN LATERAL ("
    "    SELECT id, due_at, octet_length(body) AS size FROM delivery_queue "
    "    WHERE webhook_id = wanted.webhook_id AND due_at <= now() AND id <> ALL ($5::bigint[]) "
    "    ORDER BY due_at, id LIMIT wanted.most) AS q), "
    "counted AS ("
    "  SELECT *, sum(size) OVER (ORDER BY place, webhook_id) AS bytes FROM first) "
    "SELECT c.webhook_id, c.user_id, c.failures, q.id, q.attempt, "
    "  (extract(epoch FROM q.record_timestamp) * 1000)::bigint, q.topic, q.partition, q.kafka_offset, "
    "  q.body_hash, q.user_id, q.extraction_id, q.event, q.event_id, q.traceparent, q.tracestate, "
    "  encode(q.body, 'hex') "
    "FROM counted c JOIN delivery_queue q ON q.id = c.id WHERE c.place = 1 OR c.bytes <= $4 "
    "ORDER BY c.webhook_id, c.place"};

constexpr Statement put_off = {
    "put_off_queue_rows",
    "WITH unreadable AS MATERIALIZED ("
    "  SELECT id FROM delivery_queue WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE) "
    "UPDATE delivery_queue q SET due_at = now() + interval '1 hour' FROM unreadable u WHERE q.id = u.id"};

constexpr Statement select_next_due = {
    "select_next_due",
    "SELECT ceil(extract(epoch FROM due_at - clock_timestamp()) * 1000)::bigint FROM queued_endpoints "
    "WHERE owner IS NULL ORDER BY due_at LIMIT 1"};

constexpr Statement lock_claimed = {"lock_claimed_endpoints",
                                    "SELECT 1 FROM queued_endpoints WHERE owner = $1 "
                                    "AND webhook_id = ANY ($2::text[]) ORDER BY webhook_id FOR UPDATE"};

// Runs after the lock was taken, in a snapshot of its own: it sees every row whose writer had the endpoint's
// lock before. A writer that comes later finds the endpoint as it is left here.
constexpr Statement give_back = {
    "give_back_endpoints",
    "WITH state AS MATERIALIZED ("
    "  SELECT given.webhook_id, given.failures, given.keeps_pause AND given.pause IS NOT NULL AS stays, "
    "    now() + given.pause * interval '1 millisecond' AS not_before, "
    "    (SELECT due_at FROM delivery_queue q WHERE q.webhook_id = given.webhook_id "
    "     ORDER BY due_at, id LIMIT 1) AS first_due, "
    "    EXISTS (SELECT 1 FROM webhooks w WHERE w.id = given.webhook_id AND w.active) AS active "
    "  FROM (SELECT unnest($2::text[]) AS webhook_id, unnest($3::bigint[]) AS failures, "
    "        unnest($4::bigint[]) AS pause, unnest($5::boolean[]) AS keeps_pause) AS given), "
    "empty AS ("
    "  DELETE FROM queued_endpoints e USING state s "
    "  WHERE e.webhook_id = s.webhook_id AND e.owner = $1 "
    "    AND s.first_due IS NULL AND NOT s.stays) "
    "UPDATE queued_endpoints e SET owner = NULL, "
    "  due_at = CASE WHEN s.active THEN greatest(s.first_due, s.not_before) ELSE now() END, "
    "  not_before = CASE WHEN s.active THEN s.not_before END, "
    "  failures = s.failures "
    "FROM state s WHERE e.webhook_id = s.webhook_id AND e.owner = $1 "
    "  AND (s.first_due IS NOT NULL OR s.stays)"};

// Taken in the order of the index, so that a million rows are not sorted for each portion; locked by id.
constexpr Statement delete_ended = {
    "delete_ended_rows",
    "WITH portion AS MATERIALIZED ("
    "  SELECT q.id FROM unnest($1::text[]) AS gone (webhook_id) "
    "  CROSS JOIN LATERAL (SELECT id FROM delivery_queue WHERE webhook_id = gone.webhook_id "
    "                      ORDER BY due_at, id LIMIT $2) AS q "
    "  WHERE NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.id = gone.webhook_id AND w.active) LIMIT $2), "
    "locked AS MATERIALIZED ("
    "  SELECT id FROM delivery_queue WHERE id IN (SELECT id FROM portion) ORDER BY id FOR UPDATE) "
    "DELETE FROM delivery_queue q USING locked WHERE q.id = locked.id"};

struct Endpoint {
    ports::ClaimedEndpoint claimed;
    double due_at = 0;
    bool active = true;
};

std::vector<Endpoint> claim_due(Connection& connection, const std::string& owner, std::size_t limit) {
    std::vector<Endpoint> endpoints;
    for (const auto& row : connection.run(claim, owner, limit))
        endpoints.push_back(
            {{row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::uint32_t>(), {}},
             row[3].as<double>(),
             row[4].as<bool>()});
    std::sort(endpoints.begin(), endpoints.end(),
              [](const Endpoint& left, const Endpoint& right) { return left.due_at < right.due_at; });
    return endpoints;
}

/// Ends what waits for endpoints whose webhook is gone, takes them out and gives them back.
void end_gone(Connection& connection, const std::string& owner, std::vector<Endpoint>& endpoints) {
    std::vector<std::string> webhook_ids;
    std::vector<ports::EndpointRelease> releases;
    for (const Endpoint& endpoint : endpoints) {
        if (endpoint.active) continue;
        webhook_ids.push_back(endpoint.claimed.webhook_id);
        releases.push_back({endpoint.claimed.webhook_id, endpoint.claimed.failures, std::nullopt});
    }
    if (webhook_ids.empty()) return;
    std::erase_if(endpoints, [](const Endpoint& endpoint) { return !endpoint.active; });
    end_deliveries(connection, webhook_ids);
    release_endpoints(connection, owner, releases);
}

std::optional<milliseconds> next_due_in(Connection& connection, bool rest_is_locked) {
    const pqxx::result rows = connection.run(select_next_due);
    if (rows.empty()) return std::nullopt;
    const milliseconds wait{rows[0][0].as<std::int64_t>()};
    if (wait > milliseconds{0}) return wait;
    return rest_is_locked ? locked_pause : milliseconds{0};
}

} // namespace

ports::Claim claim_endpoints(Connection& connection, const std::string& owner,
                             const ports::ClaimLimits& limits, const std::vector<std::int64_t>& held) {
    ports::Claim answer;
    std::vector<Endpoint> endpoints = claim_due(connection, owner, limits.endpoints);
    const std::size_t claimed = endpoints.size();
    end_gone(connection, owner, endpoints);
    // Of a gone webhook that had more than a portion, the rest is due at once.
    const bool rest_is_locked = claimed < limits.endpoints && claimed == endpoints.size();

    std::vector<ports::TakeRequest> requests;
    for (const Endpoint& endpoint : endpoints)
        requests.push_back(
            {endpoint.claimed.webhook_id, endpoint.claimed.failures > 0
                                              ? std::min<std::size_t>(1, limits.deliveries_per_endpoint)
                                              : limits.deliveries_per_endpoint});
    std::unordered_map<std::string, std::vector<ports::QueuedDelivery>> due;
    for (ports::ClaimedEndpoint& endpoint : take_deliveries(connection, owner, requests, limits.bytes, held))
        due[endpoint.webhook_id] = std::move(endpoint.deliveries);
    for (Endpoint& endpoint : endpoints) {
        const auto found = due.find(endpoint.claimed.webhook_id);
        if (found != due.end()) endpoint.claimed.deliveries = std::move(found->second);
        answer.endpoints.push_back(std::move(endpoint.claimed));
    }
    answer.next_due_in = next_due_in(connection, rest_is_locked);
    return answer;
}

std::vector<ports::ClaimedEndpoint> take_deliveries(Connection& connection, const std::string& owner,
                                                    const std::vector<ports::TakeRequest>& requests,
                                                    std::size_t max_bytes,
                                                    const std::vector<std::int64_t>& held) {
    std::vector<ports::ClaimedEndpoint> endpoints;
    if (requests.empty()) return endpoints;
    std::vector<std::string>& text = connection.buffers(2);
    ArrayLiteral webhook_ids(text[0]);
    ArrayLiteral most(text[1]);
    for (const ports::TakeRequest& request : requests) {
        webhook_ids.text(request.webhook_id);
        most.integer(static_cast<std::int64_t>(request.max_deliveries));
    }
    webhook_ids.close();
    most.close();
    std::vector<std::int64_t> unreadable;
    for (const auto& row :
         connection.run(select_due, owner, text[0], text[1], max_bytes, integer_array(held))) {
        auto webhook_id = row[0].as<std::string>();
        std::optional<ports::QueuedDelivery> delivery = read_queued_delivery(row, webhook_id);
        if (!delivery) {
            unreadable.push_back(row[3].as<std::int64_t>());
            continue;
        }
        if (endpoints.empty() || endpoints.back().webhook_id != webhook_id)
            endpoints.push_back(
                {std::move(webhook_id), row[1].as<std::string>(), row[2].as<std::uint32_t>(), {}});
        endpoints.back().deliveries.push_back(std::move(*delivery));
    }
    if (!unreadable.empty()) connection.run(put_off, integer_array(unreadable));
    return endpoints;
}

void release_endpoints(Connection& connection, const std::string& owner,
                       const std::vector<ports::EndpointRelease>& releases) {
    if (releases.empty()) return;
    std::vector<std::string>& text = connection.buffers(4);
    ArrayLiteral webhook_ids(text[0]);
    ArrayLiteral failures(text[1]);
    ArrayLiteral pauses(text[2]);
    ArrayLiteral keeps_pause(text[3]);
    for (const ports::EndpointRelease& release : releases) {
        webhook_ids.text(release.webhook_id);
        failures.integer(release.failures);
        release.pause ? pauses.integer(release.pause->count()) : pauses.null();
        keeps_pause.boolean(release.keeps_pause);
    }
    for (ArrayLiteral* column : {&webhook_ids, &failures, &pauses, &keeps_pause})
        column->close();
    pqxx::work transaction(connection.native());
    connection.run_in(transaction, lock_claimed, owner, text[0]);
    connection.run_in(transaction, give_back, owner, text[0], text[1], text[2], text[3]);
    transaction.commit();
}

bool end_deliveries(Connection& connection, const std::vector<std::string>& webhook_ids) {
    if (webhook_ids.empty()) return false;
    const std::size_t deleted =
        connection.run(delete_ended, text_array(webhook_ids), end_portion).affected_rows();
    return deleted == end_portion;
}

} // namespace docmap::store
