#include "store/rejected_record_log.hpp"

#include "store/array_literal.hpp"

#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace docmap::store {

namespace {

constexpr Statement insert_rejected = {
    "insert_rejected",
    "INSERT INTO rejected_events (topic, partition, kafka_offset, record_timestamp, key, value, reason) "
    "SELECT unnest($1::text[]), unnest($2::integer[]), unnest($3::bigint[]), "
    "to_timestamp(unnest($4::float8[])), "
    "unnest($5::bytea[]), unnest($6::bytea[]), unnest($7::text[]) ON CONFLICT DO NOTHING"};
constexpr std::size_t column_count = 7;

/// A statement carries about this many bytes of keys and values: hexadecimal doubles them, and PostgreSQL
/// takes no parameter of 1 GiB.
constexpr std::size_t max_statement_bytes = std::size_t{32} * 1024 * 1024;
/// 9999-12-31T23:59:59.999Z. A record's timestamp is whatever its producer set.
constexpr std::int64_t last_milliseconds = 253402300799999;

std::size_t size_of(const core::RejectedRecord& row) {
    return row.record->key().value_or("").size() + row.record->value().value_or("").size();
}

/// How many rows from the start of `rows` go into one statement: at least one.
std::size_t statement_rows(std::span<const core::RejectedRecord> rows) {
    std::size_t count = 1;
    for (std::size_t bytes = size_of(rows[0]); count < rows.size(); ++count) {
        bytes += size_of(rows[count]);
        if (bytes > max_statement_bytes) break;
    }
    return count;
}

void add_bytes(ArrayLiteral& column, const std::optional<std::string_view>& value) {
    if (value)
        column.bytes({reinterpret_cast<const unsigned char*>(value->data()), value->size()});
    else
        column.null();
}

void add_timestamp(ArrayLiteral& column, std::int64_t milliseconds) {
    if (milliseconds < 0 || milliseconds > last_milliseconds)
        column.null();
    else
        column.seconds(milliseconds);
}

void insert(Connection& connection, pqxx::transaction_base& transaction,
            std::span<const core::RejectedRecord> rows) {
    std::vector<std::string>& text = connection.buffers(column_count);
    ArrayLiteral topic(text[0]), partition(text[1]), offset(text[2]), timestamp(text[3]), key(text[4]),
        value(text[5]), reason(text[6]);
    for (const core::RejectedRecord& row : rows) {
        const core::Record& record = *row.record;
        topic.text(record.topic());
        partition.integer(record.partition());
        offset.integer(record.offset());
        add_timestamp(timestamp, record.timestamp().time_since_epoch().count());
        add_bytes(key, record.key());
        add_bytes(value, record.value());
        reason.text(row.reason);
    }
    for (ArrayLiteral* column : {&topic, &partition, &offset, &timestamp, &key, &value, &reason})
        column->close();
    connection.run_in(transaction, insert_rejected, text[0], text[1], text[2], text[3], text[4], text[5],
                      text[6]);
}

void insert_all(Connection& connection, std::span<const core::RejectedRecord> rows) {
    pqxx::work transaction(connection.native());
    while (!rows.empty()) {
        const std::size_t count = statement_rows(rows);
        insert(connection, transaction, rows.first(count));
        rows = rows.subspan(count);
    }
    transaction.commit();
}

} // namespace

PostgresRejectedRecordLog::PostgresRejectedRecordLog(Database& writers, boost::asio::any_io_executor control)
    : writers_(writers), control_(std::move(control)) {}

void PostgresRejectedRecordLog::write(std::vector<core::RejectedRecord> batch, ports::WriteTry,
                                      Written done) {
    auto rows = std::make_shared<std::vector<core::RejectedRecord>>(std::move(batch));
    run_on(
        writers_, control_, [rows](Connection& connection) { insert_all(connection, *rows); },
        [rows, done = std::move(done)](base::Result<void> result) {
            done(std::move(result), std::move(*rows));
        });
}

} // namespace docmap::store
