#include "store/parked_log.hpp"

#include "store/queue_inserts.hpp"

#include <memory>
#include <utility>

namespace docmap::store {

namespace {

void store_batch(Connection& connection, const std::vector<core::ParkedDelivery>& batch,
                 std::uint32_t breaker_failures) {
    std::vector<QueueRow> rows;
    EndpointChanges changes;
    rows.reserve(batch.size());
    for (const core::ParkedDelivery& parked : batch) {
        rows.push_back({&parked.delivery, parked.delivery.attempt, parked.parked_at});
        add_endpoint_change(changes, *parked.delivery.webhook, parked.not_before.value_or(parked.parked_at),
                            parked.not_before, parked.not_before ? breaker_failures : 0);
    }
    pqxx::work transaction(connection.native());
    // The first write of the batch may have been stored after all, or another instance may have been given
    // the partition: what was attempted since is no longer this one's to park.
    insert_queue_rows(connection, transaction, rows, Unless::attempted);
    change_endpoints(connection, transaction, changes);
    transaction.commit();
}

} // namespace

PostgresParkedLog::PostgresParkedLog(Database& writers, boost::asio::any_io_executor control,
                                     std::uint32_t breaker_failures)
    : writers_(writers), control_(std::move(control)), breaker_failures_(breaker_failures) {}

void PostgresParkedLog::write(std::vector<core::ParkedDelivery> batch, ports::WriteTry, Written done) {
    auto rows = std::make_shared<std::vector<core::ParkedDelivery>>(std::move(batch));
    run_on(
        writers_, control_,
        [rows, breaker_failures = breaker_failures_](Connection& connection) {
            store_batch(connection, *rows, breaker_failures);
        },
        [rows, done = std::move(done)](base::Result<void> result) {
            done(std::move(result), std::move(*rows));
        });
}

} // namespace docmap::store
