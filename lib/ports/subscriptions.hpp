// Where the users' webhooks come from, as the pipeline sees it. Implemented over PostgreSQL.
#pragma once

#include "base/error.hpp"
#include "core/webhook.hpp"

#include <functional>
#include <string>
#include <vector>

namespace docmap::ports {

/// The active webhooks of one user; empty where there are none.
struct UserSubscriptions {
    std::string user_id;
    std::vector<core::WebhookPtr> webhooks;
};

class SubscriptionSource {
  public:
    using Loaded = std::function<void(base::Result<std::vector<UserSubscriptions>>)>;

    virtual ~SubscriptionSource() = default;

    /// Loads the subscriptions of many users in one query. The answer names every user asked for. `done` runs
    /// on the control thread, never inside the call; on an error the caller asks again later.
    virtual void load(std::vector<std::string> user_ids, Loaded done) = 0;
};

/// Hears of changes made by any instance. All calls come on the control thread.
class SubscriptionListener {
  public:
    virtual ~SubscriptionListener() = default;

    /// One of the user's webhooks was created or changed; `removed`: it was deleted or deactivated.
    virtual void on_webhook_changed(const std::string& user_id, const std::string& webhook_id,
                                    bool removed) = 0;

    /// Changes may have been missed: nothing that was loaded before may be trusted any more.
    virtual void on_changes_missed() = 0;

    /// Something that is due now was put into the delivery queue by another process than a daemon.
    virtual void on_queue_changed() = 0;
};

} // namespace docmap::ports
