#include "core/subscription_cache.hpp"

#include <iterator>
#include <utility>

namespace docmap::core {

const Subscriptions* SubscriptionCache::find(std::string_view user_id) {
    const auto found = index_.find(user_id);
    if (found == index_.end()) return nullptr;
    found->second->used = true;
    return &found->second->subscriptions;
}

void SubscriptionCache::insert(std::string user_id, Subscriptions subscriptions) {
    erase(user_id);
    if (index_.size() >= max_users_) forget_one();
    entries_.push_front({std::move(user_id), std::move(subscriptions)});
    index_.emplace(entries_.front().user_id, entries_.begin());
}

void SubscriptionCache::forget_one() {
    while (std::exchange(entries_.back().used, false))
        entries_.splice(entries_.begin(), entries_, std::prev(entries_.end()));
    index_.erase(entries_.back().user_id);
    entries_.pop_back();
}

void SubscriptionCache::erase(std::string_view user_id) {
    const auto found = index_.find(user_id);
    if (found == index_.end()) return;
    const auto entry = found->second;
    index_.erase(found);
    entries_.erase(entry);
}

void SubscriptionCache::clear() {
    index_.clear();
    entries_.clear();
}

} // namespace docmap::core
