// Webhooks as the API creates, lists and deletes them.
// Called on the API's executor, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "core/secret_box.hpp"
#include "ports/repositories.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresWebhookRepository final : public ports::WebhookRepository {
  public:
    /// Both must outlive this.
    PostgresWebhookRepository(Database& queries, const core::SecretBox& secrets);

    ports::RepositoryAwaitable<ports::WebhookView> create(ports::NewWebhook webhook) override;
    ports::RepositoryAwaitable<std::vector<ports::WebhookView>> list(std::string user_id,
                                                                     bool active) override;
    ports::RepositoryAwaitable<void> remove(std::string user_id, std::string webhook_id) override;

  private:
    Database& queries_;
    const core::SecretBox& secrets_;
};

} // namespace docmap::store
