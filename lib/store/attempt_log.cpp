#include "store/attempt_log.hpp"

#include "store/array_literal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

namespace docmap::store {

namespace {

// unnest() in the select list walks all arrays in step without storing them, unlike unnest() in FROM.
constexpr char insert_sql[] =
    "INSERT INTO deliveries (id, user_id, webhook_id, extraction_id, event, event_id, url, success, "
    "http_status, "
    "error, duration_ms, attempt, created_at, topic, partition, kafka_offset, body_hash) "
    "SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), "
    "unnest($5::text[]), "
    "unnest($6::text[]), unnest($7::text[]), unnest($8::boolean[]), unnest($9::smallint[]), "
    "unnest($10::text[]), "
    "unnest($11::integer[]), unnest($12::smallint[]), to_timestamp(unnest($13::float8[])), "
    "unnest($14::text[]), "
    "unnest($15::integer[]), unnest($16::bigint[]), unnest($17::bigint[])";

template<std::size_t First, std::size_t Second>
consteval std::array<char, First + Second - 1> joined(const char (&first)[First],
                                                      const char (&second)[Second]) {
    std::array<char, First + Second - 1> text{};
    std::copy_n(first, First - 1, text.begin());
    std::copy_n(second, Second, text.begin() + (First - 1));
    return text;
}

constexpr auto insert_missing_sql = joined(insert_sql, " ON CONFLICT DO NOTHING");

constexpr Statement insert_attempts = {"insert_attempts", insert_sql};
constexpr Statement insert_missing_attempts = {"insert_missing_attempts", insert_missing_sql.data()};
constexpr std::size_t column_count = 17;

/// The columns of a batch as array literals, in the order of the statement's parameters.
struct Columns {
    explicit Columns(std::vector<std::string>& out)
        : id(out[0]), user_id(out[1]), webhook_id(out[2]), extraction_id(out[3]), event(out[4]),
          event_id(out[5]), url(out[6]), success(out[7]), http_status(out[8]), error(out[9]),
          duration_ms(out[10]), attempt(out[11]), created_at(out[12]), topic(out[13]), partition(out[14]),
          kafka_offset(out[15]), body_hash(out[16]) {}

    void add(const core::AttemptRecord& row);
    void close();

    ArrayLiteral id, user_id, webhook_id, extraction_id, event, event_id, url, success, http_status, error,
        duration_ms, attempt, created_at, topic, partition, kafka_offset, body_hash;
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
    webhook_id.text(webhook.id);
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
    topic.text(record.topic());
    partition.integer(record.partition());
    kafka_offset.integer(record.offset());
    body_hash.integer(static_cast<std::int64_t>(source.body_hash()));
}

void Columns::close() {
    for (ArrayLiteral* column :
         {&id, &user_id, &webhook_id, &extraction_id, &event, &event_id, &url, &success, &http_status, &error,
          &duration_ms, &attempt, &created_at, &topic, &partition, &kafka_offset, &body_hash})
        column->close();
}

void insert(Connection& connection, const std::vector<core::AttemptRecord>& batch) {
    std::vector<std::string>& text = connection.buffers(column_count);
    Columns columns(text);
    for (const core::AttemptRecord& row : batch)
        columns.add(row);
    columns.close();
    const auto run = [&](const Statement& statement) {
        connection.run(statement, text[0], text[1], text[2], text[3], text[4], text[5], text[6], text[7],
                       text[8], text[9], text[10], text[11], text[12], text[13], text[14], text[15],
                       text[16]);
    };
    // Looking for a conflict before each row costs the server a third more, and there is one only where a
    // batch is written again after its connection was lost.
    try {
        run(insert_attempts);
    } catch (const pqxx::unique_violation&) {
        run(insert_missing_attempts);
    }
}

} // namespace

PostgresAttemptLog::PostgresAttemptLog(Database& writers, boost::asio::any_io_executor control)
    : writers_(writers), control_(std::move(control)) {}

void PostgresAttemptLog::write(std::vector<core::AttemptRecord> batch, Written done) {
    auto rows = std::make_shared<std::vector<core::AttemptRecord>>(std::move(batch));
    run_on(
        writers_, control_, [rows](Connection& connection) { insert(connection, *rows); },
        [rows, done = std::move(done)](base::Result<void> result) {
            done(std::move(result), std::move(*rows));
        });
}

} // namespace docmap::store
