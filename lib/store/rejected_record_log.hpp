// Writes records that break the rules into `rejected_events`, whole, each batch in one transaction.
// Called on the control thread, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "ports/delivery_log.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresRejectedRecordLog final : public ports::RejectedRecordLog {
  public:
    /// Both must outlive this. `control` runs the callbacks.
    PostgresRejectedRecordLog(Database& writers, boost::asio::any_io_executor control);

    void write(std::vector<core::RejectedRecord> batch, ports::WriteTry write_try, Written done) override;

  private:
    Database& writers_;
    boost::asio::any_io_executor control_;
};

} // namespace docmap::store
