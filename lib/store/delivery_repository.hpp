// Delivery records as the API lists them.
// Called on the API's executor, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "ports/repositories.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresDeliveryRepository final : public ports::DeliveryRepository {
  public:
    /// `queries` must outlive this.
    explicit PostgresDeliveryRepository(Database& queries) : queries_(queries) {}

    ports::RepositoryAwaitable<std::vector<ports::DeliveryView>> list(ports::DeliveryFilter filter) override;

  private:
    Database& queries_;
};

} // namespace docmap::store
