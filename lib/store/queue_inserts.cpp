#include "store/queue_inserts.hpp"

#include "store/array_literal.hpp"

#include <algorithm>
#include <cstddef>

namespace docmap::store {

namespace {

// Ids are given in the order of the arrays: it is the order of arrival of rows that are due at the same time.
constexpr Statement insert_rows = {
    "insert_queue_rows",
    "INSERT INTO delivery_queue (due_at, record_timestamp, kafka_offset, body_hash, partition, attempt, "
    "webhook_id, user_id, extraction_id, event, event_id, topic, traceparent, tracestate, body) "
    "SELECT to_timestamp(unnest($1::float8[])), to_timestamp(unnest($2::float8[])), unnest($3::bigint[]), "
    "unnest($4::bigint[]), unnest($5::integer[]), unnest($6::smallint[]), unnest($7::text[]), "
    "unnest($8::text[]), unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::text[]), "
    "unnest($13::text[]), unnest($14::text[]), unnest($15::bytea[]) "
    "ON CONFLICT DO NOTHING RETURNING id"};

// A statement of its own: where the insert had to wait for another instance, this one sees what that one
// stored. Who meets over a delivery does so within a rebalance; the bound keeps the look-up to a few day
// partitions.
constexpr Statement delete_done = {
    "delete_done_queue_rows",
    "DELETE FROM delivery_queue q WHERE q.id = ANY ($1::bigint[]) AND EXISTS ("
    "  SELECT 1 FROM deliveries d WHERE d.topic = q.topic AND d.partition = q.partition "
    "  AND d.kafka_offset = q.kafka_offset AND d.webhook_id = q.webhook_id AND d.body_hash = q.body_hash "
    "  AND (d.success OR NOT $2::boolean) AND d.created_at > to_timestamp($3::float8) - interval '2 days')"};

/// The last one is the body, which is kept out of the connection's buffers: they stay as large as they ever
/// were.
constexpr std::size_t buffered_columns = 14;

/// A statement carries about this many bytes of bodies: hexadecimal doubles them, and PostgreSQL takes no
/// parameter of 1 GiB.
constexpr std::size_t max_statement_bytes = std::size_t{32} * 1024 * 1024;

/// A record's timestamp is whatever its producer set; PostgreSQL's calendar is cut to the years 1 to 9999.
constexpr std::int64_t first_milliseconds = -62135596800000;
constexpr std::int64_t last_milliseconds = 253402300799999;

// The lock is taken even where nothing changes. An unchanged row is not written, so that a stream of
// deliveries to one endpoint that is down does not leave a dead row per batch.
constexpr Statement upsert_endpoints = {
    "upsert_queued_endpoints",
    "INSERT INTO queued_endpoints AS e (webhook_id, user_id, due_at, not_before, failures) "
    "SELECT webhook_id, user_id, greatest(due_at, not_before), not_before, failures FROM ("
    "  SELECT unnest($1::text[]) AS webhook_id, unnest($2::text[]) AS user_id, "
    "    to_timestamp(unnest($3::float8[])) AS due_at, to_timestamp(unnest($4::float8[])) AS not_before, "
    "    unnest($5::integer[]) AS failures) AS change "
    "ON CONFLICT (webhook_id) DO UPDATE SET "
    "  due_at = greatest(least(e.due_at, excluded.due_at), e.not_before, excluded.not_before), "
    "  not_before = greatest(e.not_before, excluded.not_before), "
    "  failures = greatest(e.failures, excluded.failures) "
    "WHERE (e.due_at, e.not_before, e.failures) IS DISTINCT FROM "
    "  (greatest(least(e.due_at, excluded.due_at), e.not_before, excluded.not_before), "
    "   greatest(e.not_before, excluded.not_before), greatest(e.failures, excluded.failures))"};
constexpr std::size_t endpoint_columns = 5;

std::int64_t milliseconds(base::SystemTime time) {
    return std::clamp(time.time_since_epoch().count(), first_milliseconds, last_milliseconds);
}

/// How many rows from the start of `rows` go into one statement: at least one.
std::size_t statement_rows(std::span<const QueueRow> rows) {
    std::size_t count = 1;
    for (std::size_t bytes = rows[0].delivery->event->body().size(); count < rows.size(); ++count) {
        bytes += rows[count].delivery->event->body().size();
        if (bytes > max_statement_bytes) break;
    }
    return count;
}

/// The columns of a statement as array literals, in the order of its parameters.
struct Columns {
    Columns(std::vector<std::string>& out, std::string& bodies)
        : due_at(out[0]), record_timestamp(out[1]), kafka_offset(out[2]), body_hash(out[3]),
          partition(out[4]), attempt(out[5]), webhook_id(out[6]), user_id(out[7]), extraction_id(out[8]),
          event(out[9]), event_id(out[10]), topic(out[11]), traceparent(out[12]), tracestate(out[13]),
          body(bodies) {}

    void add(const QueueRow& row);
    void close();

    ArrayLiteral due_at, record_timestamp, kafka_offset, body_hash, partition, attempt, webhook_id, user_id,
        extraction_id, event, event_id, topic, traceparent, tracestate, body;
};

void Columns::add(const QueueRow& row) {
    const core::Event& source = *row.delivery->event;
    const core::Record& record = source.record();
    due_at.seconds(milliseconds(row.due_at));
    record_timestamp.seconds(milliseconds(record.timestamp()));
    kafka_offset.integer(record.offset());
    body_hash.integer(static_cast<std::int64_t>(source.body_hash()));
    partition.integer(record.partition());
    attempt.integer(row.attempt);
    webhook_id.text(row.delivery->webhook->id.text());
    user_id.text(source.user_id());
    extraction_id.text(source.extraction_id());
    event.text(core::name_of(source.type()));
    event_id.text(source.id());
    topic.text(record.topic());
    traceparent.text(record.traceparent());
    tracestate.text(record.tracestate());
    const std::string_view bytes = source.body();
    body.bytes({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

void Columns::close() {
    for (ArrayLiteral* column :
         {&due_at, &record_timestamp, &kafka_offset, &body_hash, &partition, &attempt, &webhook_id, &user_id,
          &extraction_id, &event, &event_id, &topic, &traceparent, &tracestate, &body})
        column->close();
}

} // namespace

std::size_t insert_queue_rows(Connection& connection, pqxx::transaction_base& transaction,
                              std::span<const QueueRow> rows, Unless unless) {
    if (rows.empty()) return 0;
    const base::SystemTime earliest =
        std::min_element(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
            return a.due_at < b.due_at;
        })->due_at;
    std::vector<std::int64_t> inserted;
    while (!rows.empty()) {
        const std::size_t count = statement_rows(rows);
        std::vector<std::string>& text = connection.buffers(buffered_columns);
        std::string bodies;
        Columns columns(text, bodies);
        for (const QueueRow& row : rows.first(count))
            columns.add(row);
        columns.close();
        for (const auto& row : connection.run_in(transaction, insert_rows, text[0], text[1], text[2], text[3],
                                                 text[4], text[5], text[6], text[7], text[8], text[9],
                                                 text[10], text[11], text[12], text[13], bodies))
            inserted.push_back(row[0].as<std::int64_t>());
        rows = rows.subspan(count);
    }
    if (inserted.empty() || unless == Unless::nothing) return inserted.size();
    const pqxx::result done = connection.run_in(transaction, delete_done, integer_array(inserted),
                                                unless == Unless::succeeded, milliseconds(earliest) / 1000);
    return inserted.size() - static_cast<std::size_t>(done.affected_rows());
}

void add_endpoint_change(EndpointChanges& changes, const core::Webhook& webhook, base::SystemTime due_at,
                         std::optional<base::SystemTime> not_before, std::uint32_t failures) {
    const auto [place, added] = changes.try_emplace(webhook.id.text());
    EndpointChange& change = place->second;
    if (added) change.user_id = webhook.user_id;
    change.due_at = added ? due_at : std::min(change.due_at, due_at);
    change.not_before = std::max(change.not_before, not_before); // no value is below any value
    change.failures = std::max(change.failures, failures);
}

void change_endpoints(Connection& connection, pqxx::transaction_base& transaction,
                      const EndpointChanges& changes) {
    if (changes.empty()) return;
    std::vector<std::string>& text = connection.buffers(endpoint_columns);
    ArrayLiteral webhook_id(text[0]);
    ArrayLiteral user_id(text[1]);
    ArrayLiteral due_at(text[2]);
    ArrayLiteral not_before(text[3]);
    ArrayLiteral failures(text[4]);
    for (const auto& [id, change] : changes) {
        webhook_id.text(id);
        user_id.text(change.user_id);
        due_at.seconds(milliseconds(change.due_at));
        change.not_before ? not_before.seconds(milliseconds(*change.not_before)) : not_before.null();
        failures.integer(change.failures);
    }
    for (ArrayLiteral* column : {&webhook_id, &user_id, &due_at, &not_before, &failures})
        column->close();
    connection.run_in(transaction, upsert_endpoints, text[0], text[1], text[2], text[3], text[4]);
}

} // namespace docmap::store
