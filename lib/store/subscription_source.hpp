// Reads the active webhooks of many users in one query, opens their secrets and takes their URLs apart.
// Called on the control thread, works on the pool's threads. Owned by the store, which stops the pool first.
#pragma once

#include "core/secret_box.hpp"
#include "ports/subscriptions.hpp"
#include "store/database.hpp"

namespace docmap::store {

class PostgresSubscriptionSource final : public ports::SubscriptionSource {
  public:
    /// All three must outlive this. `control` runs the callbacks; `allow_http` admits http:// URLs.
    PostgresSubscriptionSource(Database& queries, boost::asio::any_io_executor control,
                               const core::SecretBox& secrets, bool allow_http);

    /// A webhook whose stored URL or secret cannot be read is logged and left out.
    void load(std::vector<std::string> user_ids, Loaded done) override;

  private:
    Database& queries_;
    boost::asio::any_io_executor control_;
    const core::SecretBox& secrets_;
    bool allow_http_;
};

} // namespace docmap::store
