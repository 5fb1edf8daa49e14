#include "store/attempt_log.hpp"

#include "base/log.hpp"
#include "base/prefetch.hpp"
#include "store/array_literal.hpp"
#include "store/attempt_effects.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace docmap::store {

namespace {

// unnest() in the select list walks all arrays in step without storing them, unlike unnest() in FROM.
constexpr char insert_sql[] =
    "INSERT INTO deliveries (id, user_id, webhook_id, extraction_id, event, event_id, url, success, "
    "http_status, error, duration_ms, attempt, created_at, next_attempt_at, topic, partition, kafka_offset, "
    "body_hash) "
    "SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), "
    "unnest($5::text[]), unnest($6::text[]), unnest($7::text[]), unnest($8::boolean[]), "
    "unnest($9::smallint[]), unnest($10::text[]), unnest($11::integer[]), unnest($12::smallint[]), "
    "to_timestamp(unnest($13::float8[])), to_timestamp(unnest($14::float8[])), unnest($15::text[]), "
    "unnest($16::integer[]), unnest($17::bigint[]), unnest($18::bigint[])";

template<std::size_t First, std::size_t Second>
consteval std::array<char, First + Second - 1> joined(const char (&first)[First],
                                                      const char (&second)[Second]) {
    std::array<char, First + Second - 1> text{};
    std::copy_n(first, First - 1, text.begin());
    std::copy_n(second, Second, text.begin() + (First - 1));
    return text;
}

constexpr auto insert_missing_sql = joined(insert_sql, " ON CONFLICT DO NOTHING RETURNING id");

// Looking for a conflict before each row costs the server a third more, and there can be one only where a
// batch is written again.
constexpr Statement insert_attempts = {"insert_attempts", insert_sql};
constexpr Statement insert_missing_attempts = {"insert_missing_attempts", insert_missing_sql.data()};
constexpr std::size_t column_count = 18;

/// The columns of a batch as array literals, in the order of the statement's parameters.
struct Columns {
    explicit Columns(std::vector<std::string>& out)
        : id(out[0]), user_id(out[1]), webhook_id(out[2]), extraction_id(out[3]), event(out[4]),
          event_id(out[5]), url(out[6]), success(out[7]), http_status(out[8]), error(out[9]),
          duration_ms(out[10]), attempt(out[11]), created_at(out[12]), next_attempt_at(out[13]),
          topic(out[14]), partition(out[15]), kafka_offset(out[16]), body_hash(out[17]) {}

    void add(const core::AttemptRecord& row);
    void close();

    ArrayLiteral id, user_id, webhook_id, extraction_id, event, event_id, url, success, http_status, error,
        duration_ms, attempt, created_at, next_attempt_at, topic, partition, kafka_offset, body_hash;
};

std::int64_t clamp_smallint(std::uint16_t value) {
    return std::min<std::int64_t>(value, std::numeric_limits<std::int16_t>::max());
}

void Columns::add(const core::AttemptRecord& row) {
    const core::Event& source = *row.delivery.event;
    const core::Record& record = source.record();
    const core::Webhook& webhook = *row.delivery.webhook;
    id.text(core::view(row.id));
    user_id.text(source.user_id());
    webhook_id.text(webhook.id.text());
    extraction_id.text(source.extraction_id());
    event.text(core::name_of(source.type()));
    event_id.text(source.id());
    url.text(webhook.url);
    success.boolean(row.success);
    row.http_status == 0 ? http_status.null() : http_status.integer(clamp_smallint(row.http_status));
    row.error.empty() ? error.null() : error.text(row.error);
    duration_ms.integer(std::clamp<std::int64_t>(row.duration.count(), 0, std::numeric_limits<int>::max()));
    attempt.integer(clamp_smallint(row.delivery.attempt));
    created_at.seconds(row.started_at.time_since_epoch().count());
    row.next_attempt_at ? next_attempt_at.seconds(row.next_attempt_at->time_since_epoch().count())
                        : next_attempt_at.null();
    topic.text(record.topic());
    partition.integer(record.partition());
    kafka_offset.integer(record.offset());
    body_hash.integer(static_cast<std::int64_t>(source.body_hash()));
}

void Columns::close() {
    for (ArrayLiteral* column : {&id, &user_id, &webhook_id, &extraction_id, &event, &event_id, &url,
                                 &success, &http_status, &error, &duration_ms, &attempt, &created_at,
                                 &next_attempt_at, &topic, &partition, &kafka_offset, &body_hash})
        column->close();
}

/// Other threads wrote what the rows refer to, or nobody has read it for long. Fetches it in two steps: what
/// a later row points to, and what that of an earlier one points to in turn.
void fetch_ahead(const std::vector<core::AttemptRecord>& rows, std::size_t index) {
    constexpr std::size_t usual_ids_bytes = 64; // which lie behind the event
    constexpr std::size_t rows_per_step = 4;
    if (const std::size_t next = index + 2 * rows_per_step; next < rows.size()) {
        base::prefetch(rows[next].delivery.event.get(), sizeof(core::Event) + usual_ids_bytes);
        core::fetch_ahead(rows[next].delivery.webhook, core::record_bytes);
    }
    if (const std::size_t next = index + rows_per_step; next < rows.size()) {
        base::prefetch(&rows[next].delivery.event->record());
        const core::Webhook& webhook = *rows[next].delivery.webhook;
        base::prefetch(webhook.id.text().data(), webhook.id.text().size());
        base::prefetch(webhook.url.data(), webhook.url.size());
    }
}

pqxx::result insert(Connection& connection, pqxx::transaction_base& transaction, const Statement& statement,
                    const std::vector<core::AttemptRecord>& batch) {
    std::vector<std::string>& text = connection.buffers(column_count);
    Columns columns(text);
    for (std::size_t index = 0; index < batch.size(); ++index) {
        fetch_ahead(batch, index);
        columns.add(batch[index]);
    }
    columns.close();
    return connection.run_in(transaction, statement, text[0], text[1], text[2], text[3], text[4], text[5],
                             text[6], text[7], text[8], text[9], text[10], text[11], text[12], text[13],
                             text[14], text[15], text[16], text[17]);
}

/// Those of the batch that this statement stored. The others' effects came with them, in the same
/// transaction: to apply them again could bring back what another instance has delivered and deleted
/// meanwhile.
std::vector<const core::AttemptRecord*> newly_stored(const std::vector<core::AttemptRecord>& batch,
                                                     const pqxx::result& inserted) {
    std::unordered_set<std::string_view> ids;
    for (const auto& row : inserted)
        ids.emplace(row[0].c_str(), row[0].size());
    std::vector<const core::AttemptRecord*> attempts;
    for (const core::AttemptRecord& row : batch)
        if (ids.contains(core::view(row.id))) attempts.push_back(&row);
    return attempts;
}

std::vector<DeactivatedWebhook> store_batch(Connection& connection,
                                            const std::vector<core::AttemptRecord>& batch,
                                            ports::WriteTry write_try) {
    const bool first = write_try == ports::WriteTry::first;
    const Statement& statement = first ? insert_attempts : insert_missing_attempts;
    if (std::all_of(batch.begin(), batch.end(), is_plain)) {
        pqxx::nontransaction autocommit(connection.native());
        insert(connection, autocommit, statement, batch);
        return {};
    }
    pqxx::work transaction(connection.native());
    const pqxx::result inserted = insert(connection, transaction, statement, batch);
    std::vector<const core::AttemptRecord*> attempts;
    if (first) {
        for (const core::AttemptRecord& row : batch)
            attempts.push_back(&row);
    } else {
        attempts = newly_stored(batch, inserted);
    }
    std::vector<DeactivatedWebhook> deactivated = apply_effects(connection, transaction, attempts);
    transaction.commit();
    return deactivated;
}

void report(const DeactivatedWebhook& webhook, base::Metrics& metrics) {
    metrics.webhooks_deactivated.Increment();
    base::log::warning("webhook deactivated: its endpoint answered 410 Gone",
                       {{"webhook_id", webhook.webhook_id}, {"user_id", webhook.user_id}});
}

} // namespace

PostgresAttemptLog::PostgresAttemptLog(Database& writers, boost::asio::any_io_executor control,
                                       base::Metrics& metrics)
    : writers_(writers), control_(std::move(control)), metrics_(metrics) {}

void PostgresAttemptLog::write(std::vector<core::AttemptRecord> batch, ports::WriteTry write_try,
                               Written done) {
    auto rows = std::make_shared<std::vector<core::AttemptRecord>>(std::move(batch));
    run_on(
        writers_, control_,
        [rows, write_try, &metrics = metrics_](Connection& connection) {
            for (const DeactivatedWebhook& webhook : store_batch(connection, *rows, write_try))
                report(webhook, metrics);
        },
        [rows, done = std::move(done)](base::Result<void> result) {
            done(std::move(result), std::move(*rows));
        });
}

} // namespace docmap::store
