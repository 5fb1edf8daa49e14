// The users' subscriptions, as far as they are known: a bounded cache. Who was not asked for since the last
// look goes first (second chance): finding changes nothing but its own entry, whose neighbours are rarely in
// the processor's caches. Users are found by a 64-bit hash; should two ever share one, the newer takes the
// older one's place. Pure; lives on the control thread.
#pragma once

#include "base/hash_index.hpp"
#include "core/webhook.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace docmap::core {

/// The active webhooks of one user. Most have one, which then lies beside the user.
using Subscriptions = boost::container::small_vector<WebhookPtr, 1>;

class SubscriptionCache {
    struct Entry
        : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        std::string user_id;
        Subscriptions subscriptions;
        bool used = false; ///< since the last look
    };

  public:
    explicit SubscriptionCache(std::size_t max_users) : max_users_(max_users) {}

    /// Where a user would be. Valid until the next change.
    class Place {
        friend SubscriptionCache;
        std::uint64_t hash_ = 0;
        Entry* entry_ = nullptr; ///< of a user with the same hash; null: there is none
    };

    /// First and second step of a find: each begins to fetch what the next one reads. With one step of many
    /// users before the next step, the processor waits for their memory at the same time.
    Place place_of(std::string_view user_id) const;
    void look_up(Place& place) const;

    /// Last step: the user's subscriptions, or nullptr where they are not known. Valid until the next change.
    const Subscriptions* find(const Place& place, std::string_view user_id);

    /// All three steps.
    const Subscriptions* find(std::string_view user_id);

    void insert(std::string user_id, Subscriptions subscriptions);
    void erase(std::string_view user_id);
    void clear();

    std::size_t size() const { return index_.size(); }

  private:
    /// The keys are hashes already.
    struct Identity {
        std::uint64_t operator()(std::uint64_t hash) const { return hash; }
    };

    using Entries = boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>>;

    static std::uint64_t hash_of(std::string_view user_id);
    void forget_one();

    std::size_t max_users_;
    Entries entries_; ///< the next to be looked at last
    base::HashIndex<std::uint64_t, Entry, Identity> index_;
};

} // namespace docmap::core
