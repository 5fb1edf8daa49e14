// The durable delivery queue over PostgreSQL, as one instance among many.
// Called on the control thread, works on a pool's threads, answers on the control thread. Owned by the store,
// which stops the pool first.
#pragma once

#include "ports/delivery_queue.hpp"
#include "store/database.hpp"

#include <chrono>
#include <string>

namespace docmap::store {

class PostgresDeliveryQueue final : public ports::DeliveryQueue {
  public:
    /// `database` and what runs behind `control`, which runs the callbacks, must outlive this.
    PostgresDeliveryQueue(Database& database, boost::asio::any_io_executor control,
                          std::chrono::milliseconds lease);

    /// The first call makes this instance known; before that, nothing can be claimed.
    void keep_alive(Done<bool> done) override;

    /// One at a time. Endpoints whose webhook is deleted or inactive are ended inside and do not come.
    void claim(ports::ClaimLimits limits, std::vector<std::int64_t> held, Done<ports::Claim> done) override;

    void take(std::vector<ports::TakeRequest> requests, std::size_t max_bytes, std::vector<std::int64_t> held,
              Done<std::vector<ports::ClaimedEndpoint>> done) override;
    void release_unknown(std::vector<std::string> known, Done<void> done) override;
    void release(std::vector<ports::EndpointRelease> releases, Done<void> done) override;
    void end(std::vector<std::string> webhook_ids, Done<bool> done) override;
    void leave(Done<void> done) override;

  private:
    Database& database_;
    boost::asio::any_io_executor control_;
    std::chrono::milliseconds lease_;
    std::string name_;      ///< random; another one once this instance was taken for dead
    bool entered_ = false;  ///< `name_` is known to have been among the living
    bool claiming_ = false; ///< a claim is under way
};

} // namespace docmap::store
