// Writes batches of attempts into `deliveries`: one statement, one transaction and one round trip per batch.
// Called on the control thread, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "ports/delivery_log.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresAttemptLog final : public ports::AttemptLog {
  public:
    /// Both must outlive this. `control` runs the callbacks.
    PostgresAttemptLog(Database& writers, boost::asio::any_io_executor control);

    void write(std::vector<core::AttemptRecord> batch, Written done) override;

  private:
    Database& writers_;
    boost::asio::any_io_executor control_;
};

} // namespace docmap::store
