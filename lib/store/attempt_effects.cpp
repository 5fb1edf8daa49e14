#include "store/attempt_effects.hpp"

#include "store/array_literal.hpp"
#include "store/queue_inserts.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

namespace docmap::store {

namespace {

// Triggers tell the instances, and make what waits for the webhook end.
constexpr Statement deactivate_webhooks = {
    "deactivate_gone_webhooks",
    "WITH gone AS MATERIALIZED ("
    "  SELECT id FROM webhooks WHERE id = ANY ($1::text[]) AND active ORDER BY id FOR UPDATE) "
    "UPDATE webhooks w SET active = false, deactivated_at = now() FROM gone WHERE w.id = gone.id "
    "RETURNING w.id, w.user_id"};

// The attempt's number keeps a row from being changed by an attempt that is not its next one.
// A success ends the delivery, whatever another instance has made of the row meanwhile.
constexpr Statement change_claimed = {
    "change_claimed_queue_rows",
    "WITH changed AS MATERIALIZED ("
    "  SELECT q.id, change.due_at FROM ("
    "    SELECT unnest($1::bigint[]) AS id, unnest($2::smallint[]) AS attempt, "
    "      to_timestamp(unnest($3::float8[])) AS due_at, unnest($4::boolean[]) AS success) AS change "
    "  JOIN delivery_queue q ON q.id = change.id AND (q.attempt = change.attempt OR change.success) "
    "  ORDER BY q.id FOR UPDATE OF q), "
    "ended AS ("
    "  DELETE FROM delivery_queue q USING changed WHERE q.id = changed.id AND changed.due_at IS NULL) "
    "UPDATE delivery_queue q SET attempt = q.attempt + 1, due_at = changed.due_at "
    "FROM changed WHERE q.id = changed.id AND changed.due_at IS NOT NULL"};

constexpr Statement upsert_failing = {
    "upsert_failing_webhooks",
    "INSERT INTO failing_webhooks AS f (webhook_id, user_id, failing_since, last_failed_at) "
    "SELECT unnest($1::text[]), unnest($2::text[]), to_timestamp(unnest($3::float8[])), "
    "to_timestamp(unnest($4::float8[])) "
    "ON CONFLICT (webhook_id) DO UPDATE SET failing_since = least(f.failing_since, excluded.failing_since), "
    "last_failed_at = greatest(f.last_failed_at, excluded.last_failed_at) "
    "WHERE excluded.failing_since < f.failing_since OR excluded.last_failed_at > f.last_failed_at"};

using Attempts = std::span<const core::AttemptRecord* const>;

std::vector<DeactivatedWebhook> deactivate(Connection& connection, pqxx::transaction_base& transaction,
                                           Attempts attempts) {
    std::set<std::string> ids;
    for (const core::AttemptRecord* attempt : attempts)
        if (attempt->deactivates) ids.insert(attempt->delivery.webhook->id.text());
    std::vector<DeactivatedWebhook> deactivated;
    if (ids.empty()) return deactivated;
    const std::vector<std::string> list(ids.begin(), ids.end());
    for (const auto& row : connection.run_in(transaction, deactivate_webhooks, text_array(list)))
        deactivated.push_back({row[0].as<std::string>(), row[1].as<std::string>()});
    return deactivated;
}

/// Rows that this instance has claimed: the next attempt's time, or the end.
void change_claimed_rows(Connection& connection, pqxx::transaction_base& transaction, Attempts attempts) {
    std::vector<std::string>& text = connection.buffers(4);
    ArrayLiteral id(text[0]);
    ArrayLiteral number(text[1]);
    ArrayLiteral due_at(text[2]);
    ArrayLiteral success(text[3]);
    bool any = false;
    for (const core::AttemptRecord* attempt : attempts) {
        if (!attempt->delivery.claim) continue;
        any = true;
        id.integer(attempt->delivery.claim->row_id);
        number.integer(attempt->delivery.attempt);
        success.boolean(attempt->success);
        attempt->next_attempt_at ? due_at.seconds(attempt->next_attempt_at->time_since_epoch().count())
                                 : due_at.null();
    }
    if (!any) return;
    for (ArrayLiteral* column : {&id, &number, &due_at, &success})
        column->close();
    connection.run_in(transaction, change_claimed, text[0], text[1], text[2], text[3]);
}

void insert_new_rows(Connection& connection, pqxx::transaction_base& transaction, Attempts attempts) {
    std::vector<QueueRow> rows;
    for (const core::AttemptRecord* attempt : attempts)
        if (!attempt->delivery.claim && attempt->next_attempt_at)
            rows.push_back({&attempt->delivery, static_cast<std::uint16_t>(attempt->delivery.attempt + 1),
                            *attempt->next_attempt_at});
    insert_queue_rows(connection, transaction, rows, Unless::succeeded);
}

void make_endpoints_due(Connection& connection, pqxx::transaction_base& transaction, Attempts attempts) {
    EndpointChanges changes;
    for (const core::AttemptRecord* attempt : attempts)
        if (attempt->next_attempt_at)
            add_endpoint_change(changes, *attempt->delivery.webhook, *attempt->next_attempt_at);
    change_endpoints(connection, transaction, changes);
}

void note_failures(Connection& connection, pqxx::transaction_base& transaction, Attempts attempts) {
    struct Failures {
        const core::Webhook* webhook;
        std::int64_t first;
        std::int64_t last;
    };
    std::map<std::string_view, Failures> by_webhook;
    for (const core::AttemptRecord* attempt : attempts) {
        if (attempt->success || attempt->deactivates) continue;
        const std::int64_t time = attempt->started_at.time_since_epoch().count();
        const core::Webhook& webhook = *attempt->delivery.webhook;
        Failures& failures =
            by_webhook.try_emplace(webhook.id.text(), Failures{&webhook, time, time}).first->second;
        failures.first = std::min(failures.first, time);
        failures.last = std::max(failures.last, time);
    }
    if (by_webhook.empty()) return;
    std::vector<std::string>& text = connection.buffers(4);
    ArrayLiteral webhook_id(text[0]);
    ArrayLiteral user_id(text[1]);
    ArrayLiteral first(text[2]);
    ArrayLiteral last(text[3]);
    for (const auto& [id, failures] : by_webhook) {
        webhook_id.text(id);
        user_id.text(failures.webhook->user_id);
        first.seconds(failures.first);
        last.seconds(failures.last);
    }
    for (ArrayLiteral* column : {&webhook_id, &user_id, &first, &last})
        column->close();
    connection.run_in(transaction, upsert_failing, text[0], text[1], text[2], text[3]);
}

} // namespace

bool is_plain(const core::AttemptRecord& attempt) {
    return attempt.success && !attempt.delivery.claim && !attempt.next_attempt_at && !attempt.deactivates;
}

std::vector<DeactivatedWebhook> apply_effects(Connection& connection, pqxx::transaction_base& transaction,
                                              Attempts attempts) {
    std::vector<DeactivatedWebhook> deactivated = deactivate(connection, transaction, attempts);
    change_claimed_rows(connection, transaction, attempts);
    insert_new_rows(connection, transaction, attempts);
    make_endpoints_due(connection, transaction, attempts);
    note_failures(connection, transaction, attempts);
    return deactivated;
}

} // namespace docmap::store
