// Reads what is recorded of a partition, for the first records after an assignment.
// Called on the control thread, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "ports/delivery_log.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresRecordedDeliveries final : public ports::RecordedDeliveries {
  public:
    /// Both must outlive this. `control` runs the callbacks.
    PostgresRecordedDeliveries(Database& queries, boost::asio::any_io_executor control);

    void find(const std::string& topic, std::int32_t partition, std::int64_t first_offset, std::size_t limit,
              Found done) override;

  private:
    Database& queries_;
    boost::asio::any_io_executor control_;
};

} // namespace docmap::store
