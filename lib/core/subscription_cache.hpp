// The users' subscriptions, as far as they are known: a bounded cache. Who was not asked for since the last
// look goes first (second chance): finding changes nothing but its own entry, whose neighbours are rarely in
// the processor's caches. Pure; lives on the control thread.
#pragma once

#include "core/webhook.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::core {

/// The active webhooks of one user.
using Subscriptions = std::vector<WebhookPtr>;

class SubscriptionCache {
  public:
    explicit SubscriptionCache(std::size_t max_users) : max_users_(max_users) {}

    /// The user's subscriptions, or nullptr where they are not known. Valid until the next change.
    const Subscriptions* find(std::string_view user_id);

    void insert(std::string user_id, Subscriptions subscriptions);
    void erase(std::string_view user_id);
    void clear();

    std::size_t size() const { return index_.size(); }

  private:
    struct Entry {
        std::string user_id;
        Subscriptions subscriptions;
        bool used = false; ///< since the last look
    };

    using Entries = std::list<Entry>;

    void forget_one();

    std::size_t max_users_;
    Entries entries_; ///< the next to be looked at last
    boost::unordered_flat_map<std::string_view, Entries::iterator> index_;
};

} // namespace docmap::core
