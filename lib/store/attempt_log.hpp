// Writes batches of attempts into `deliveries`, each with what it changes in one transaction. A batch of
// deliveries that succeeded at once is one statement and one round trip. Called on the control thread, works
// on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "base/metrics.hpp"
#include "ports/delivery_log.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresAttemptLog final : public ports::AttemptLog {
  public:
    /// All must outlive this. `control` runs the callbacks.
    PostgresAttemptLog(Database& writers, boost::asio::any_io_executor control, base::Metrics& metrics);

    void write(std::vector<core::AttemptRecord> batch, ports::WriteTry write_try, Written done) override;

  private:
    Database& writers_;
    boost::asio::any_io_executor control_;
    base::Metrics& metrics_;
};

} // namespace docmap::store
