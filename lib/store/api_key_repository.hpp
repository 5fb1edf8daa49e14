// API keys as the API checks them.
// Called on the API's executor, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "ports/repositories.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresApiKeyRepository final : public ports::ApiKeyRepository {
  public:
    /// `queries` must outlive this.
    explicit PostgresApiKeyRepository(Database& queries) : queries_(queries) {}

    ports::RepositoryAwaitable<std::string> find_user(std::array<unsigned char, 32> key_hash) override;

  private:
    Database& queries_;
};

} // namespace docmap::store
