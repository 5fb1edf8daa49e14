#include "store/parked_log.hpp"

#include "store/array_literal.hpp"
#include "store/queue_inserts.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace docmap::store {

namespace {

// The first write may have been stored after all, and another instance may have delivered and deleted a row
// since. A statement of its own: where the insert had to wait for that instance, this one sees what it
// stored.
constexpr Statement delete_recorded = {
    "delete_recorded_queue_rows",
    "DELETE FROM delivery_queue q WHERE q.id = ANY ($1::bigint[]) AND EXISTS ("
    "  SELECT 1 FROM deliveries d WHERE d.topic = q.topic AND d.partition = q.partition "
    "  AND d.kafka_offset = q.kafka_offset AND d.webhook_id = q.webhook_id AND d.body_hash = q.body_hash)"};

void store_batch(Connection& connection, const std::vector<core::ParkedDelivery>& batch,
                 ports::WriteTry write_try, std::uint32_t breaker_failures) {
    std::vector<QueueRow> rows;
    EndpointChanges changes;
    rows.reserve(batch.size());
    for (const core::ParkedDelivery& parked : batch) {
        rows.push_back({&parked.delivery, parked.delivery.attempt, parked.parked_at});
        add_endpoint_change(changes, *parked.delivery.webhook, parked.not_before.value_or(parked.parked_at),
                            parked.not_before, parked.not_before ? breaker_failures : 0);
    }
    pqxx::work transaction(connection.native());
    const std::vector<std::int64_t> inserted = insert_queue_rows(connection, transaction, rows);
    if (write_try == ports::WriteTry::again && !inserted.empty())
        connection.run_in(transaction, delete_recorded, integer_array(inserted));
    change_endpoints(connection, transaction, changes);
    transaction.commit();
}

} // namespace

PostgresParkedLog::PostgresParkedLog(Database& writers, boost::asio::any_io_executor control,
                                     std::uint32_t breaker_failures)
    : writers_(writers), control_(std::move(control)), breaker_failures_(breaker_failures) {}

void PostgresParkedLog::write(std::vector<core::ParkedDelivery> batch, ports::WriteTry write_try,
                              Written done) {
    auto rows = std::make_shared<std::vector<core::ParkedDelivery>>(std::move(batch));
    run_on(
        writers_, control_,
        [rows, write_try, breaker_failures = breaker_failures_](Connection& connection) {
            store_batch(connection, *rows, write_try, breaker_failures);
        },
        [rows, done = std::move(done)](base::Result<void> result) {
            done(std::move(result), std::move(*rows));
        });
}

} // namespace docmap::store
