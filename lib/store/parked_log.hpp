// Writes parked deliveries into the delivery queue, each batch in one transaction.
// Called on the control thread, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "ports/delivery_queue.hpp"
#include "store/database.hpp"

#include <cstdint>

namespace docmap::store {

class PostgresParkedLog final : public ports::ParkedLog {
  public:
    /// Both must outlive this. `control` runs the callbacks. `breaker_failures`: what an endpoint that is
    /// down is known to have at least in a row, so that whoever claims it begins with one delivery.
    PostgresParkedLog(Database& writers, boost::asio::any_io_executor control,
                      std::uint32_t breaker_failures);

    /// A delivery that waits already, or whose webhook is gone, is no error: the first stays as it is, the
    /// second ends when its endpoint is claimed.
    void write(std::vector<core::ParkedDelivery> batch, ports::WriteTry write_try, Written done) override;

  private:
    Database& writers_;
    boost::asio::any_io_executor control_;
    std::uint32_t breaker_failures_;
};

} // namespace docmap::store
