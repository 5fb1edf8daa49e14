#include "core/subscription_cache.hpp"

#include "base/prefetch.hpp"

#include <iterator>
#include <memory>
#include <utility>
#include <xxhash.h>

namespace docmap::core {

std::uint64_t SubscriptionCache::hash_of(std::string_view user_id) {
    return XXH3_64bits(user_id.data(), user_id.size());
}

SubscriptionCache::Place SubscriptionCache::place_of(std::string_view user_id) const {
    Place place;
    place.hash_ = hash_of(user_id);
    index_.fetch_ahead(place.hash_);
    return place;
}

void SubscriptionCache::look_up(Place& place) const {
    place.entry_ = index_.find(place.hash_);
    base::prefetch(place.entry_);
}

const Subscriptions* SubscriptionCache::find(const Place& place, std::string_view user_id) {
    Entry* const entry = place.entry_;
    if (entry == nullptr || entry->user_id != user_id) return nullptr;
    entry->used = true;
    return &entry->subscriptions;
}

const Subscriptions* SubscriptionCache::find(std::string_view user_id) {
    Place place = place_of(user_id);
    look_up(place);
    return find(place, user_id);
}

void SubscriptionCache::insert(std::string user_id, Subscriptions subscriptions) {
    const std::uint64_t hash = hash_of(user_id);
    index_.erase(hash);
    if (index_.size() >= max_users_) forget_one();
    auto entry = std::make_unique<Entry>();
    entry->user_id = std::move(user_id);
    entry->subscriptions = std::move(subscriptions);
    entries_.push_front(*entry);
    index_.insert(hash, std::move(entry));
}

void SubscriptionCache::forget_one() {
    while (std::exchange(entries_.back().used, false))
        entries_.splice(entries_.begin(), entries_, std::prev(entries_.end()));
    index_.erase(hash_of(entries_.back().user_id));
}

void SubscriptionCache::erase(std::string_view user_id) {
    if (find(user_id) != nullptr) index_.erase(hash_of(user_id));
}

void SubscriptionCache::clear() {
    index_.clear();
}

} // namespace docmap::core
