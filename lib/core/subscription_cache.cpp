#include "core/subscription_cache.hpp"

#include "base/prefetch.hpp"

#include <iterator>
#include <utility>
#include <xxhash.h>

namespace docmap::core {

std::uint64_t SubscriptionCache::hash_of(std::string_view user_id) {
    return XXH3_64bits(user_id.data(), user_id.size());
}

SubscriptionCache::Place SubscriptionCache::look_up(std::string_view user_id) const {
    Place place;
    const auto found = index_.find(hash_of(user_id));
    if (found != index_.end()) place.entry_ = &*found->second;
    base::prefetch(place.entry_);
    return place;
}

const Subscriptions* SubscriptionCache::find(const Place& place, std::string_view user_id) {
    Entry* const entry = place.entry_;
    if (entry == nullptr || entry->user_id != user_id) return nullptr;
    entry->used = true;
    return &entry->subscriptions;
}

void SubscriptionCache::insert(std::string user_id, Subscriptions subscriptions) {
    const std::uint64_t hash = hash_of(user_id);
    erase_at(hash);
    if (index_.size() >= max_users_) forget_one();
    entries_.push_front({std::move(user_id), std::move(subscriptions)});
    index_.emplace(hash, entries_.begin());
}

void SubscriptionCache::forget_one() {
    while (std::exchange(entries_.back().used, false))
        entries_.splice(entries_.begin(), entries_, std::prev(entries_.end()));
    erase_at(hash_of(entries_.back().user_id));
}

void SubscriptionCache::erase(std::string_view user_id) {
    if (find(user_id) != nullptr) erase_at(hash_of(user_id));
}

void SubscriptionCache::erase_at(std::uint64_t hash) {
    const auto found = index_.find(hash);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
}

void SubscriptionCache::clear() {
    index_.clear();
    entries_.clear();
}

} // namespace docmap::core
