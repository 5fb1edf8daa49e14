#include "store/recorded_deliveries.hpp"

#include <utility>

namespace docmap::store {

namespace {

// Every recorded delivery has its first attempt in `deliveries` or still waits for it. A delivery found in
// both comes twice: without duplicates a page could be shorter than its limit though there is more.
constexpr Statement select_recorded = {
    "select_recorded",
    "(SELECT kafka_offset, webhook_id, body_hash FROM deliveries "
    " WHERE topic = $1 AND partition = $2 AND kafka_offset >= $3 AND attempt = 1 ORDER BY kafka_offset LIMIT "
    "$4) "
    "UNION ALL "
    "(SELECT kafka_offset, webhook_id, body_hash FROM delivery_queue "
    " WHERE topic = $1 AND partition = $2 AND kafka_offset >= $3 ORDER BY kafka_offset LIMIT $4) "
    "ORDER BY kafka_offset LIMIT $4"};

} // namespace

PostgresRecordedDeliveries::PostgresRecordedDeliveries(Database& queries,
                                                       boost::asio::any_io_executor control)
    : queries_(queries), control_(std::move(control)) {}

void PostgresRecordedDeliveries::find(const std::string& topic, std::int32_t partition,
                                      std::int64_t first_offset, std::size_t limit, Found done) {
    auto query = [topic, partition, first_offset, limit](Connection& connection) {
        std::vector<core::RecordedDelivery> found;
        for (const auto& row : connection.run(select_recorded, topic, partition, first_offset, limit))
            found.push_back({row[0].as<std::int64_t>(), row[1].as<std::string>(),
                             static_cast<std::uint64_t>(row[2].as<std::int64_t>())});
        return found;
    };
    run_on(queries_, control_, std::move(query), std::move(done));
}

} // namespace docmap::store
