#include "pipeline/fan_out.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace docmap::pipeline {

namespace {

bool is_recorded(const std::vector<core::RecordedDelivery>& recorded, const core::Event& event,
                 const core::Webhook& webhook) {
    // A topic that was made anew uses its offsets again: only the same body is the same event.
    return std::any_of(recorded.begin(), recorded.end(), [&](const core::RecordedDelivery& row) {
        return row.body_hash == event.body_hash() && row.webhook_id == webhook.id;
    });
}

} // namespace

FanOut::FanOut(std::size_t max_cached_users, async::Scheduler& scheduler, ports::SubscriptionSource& source,
               Settlement& settlement, base::Metrics& metrics, Outputs outputs)
    : scheduler_(scheduler), source_(source), settlement_(settlement), metrics_(metrics),
      outputs_(std::move(outputs)), cache_(max_cached_users),
      retry_timer_(scheduler.make_timer([this] { load_wanted(); })) {}

void FanOut::add(core::EventPtr event, std::vector<core::RecordedDelivery> recorded) {
    add(Item{std::move(event), std::move(recorded)});
}

void FanOut::add_claimed(core::EventPtr event, ClaimedDelivery claimed) {
    add(Item{std::move(event), {}, std::make_unique<ClaimedDelivery>(std::move(claimed))});
}

void FanOut::add(Item item) {
    added_.push_back(std::move(item));
    if (added_.size() == items_at_a_time) flush();
}

/// Step by step for all of them, so that the processor waits for the memory of many at once.
void FanOut::flush() {
    std::array<core::SubscriptionCache::Place, items_at_a_time> places;
    for (std::size_t index = 0; index < added_.size(); ++index)
        places[index] = cache_.place_of(added_[index].event->user_id());
    for (std::size_t index = 0; index < added_.size(); ++index)
        cache_.look_up(places[index]);
    std::array<const core::Subscriptions*, items_at_a_time> known;
    for (std::size_t index = 0; index < added_.size(); ++index) {
        known[index] = cache_.find(places[index], added_[index].event->user_id());
        if (known[index] == nullptr) continue;
        for (const core::WebhookPtr& webhook : *known[index])
            core::fetch_ahead(webhook, core::fan_out_bytes);
    }
    for (std::size_t index = 0; index < added_.size(); ++index) {
        if (known[index] != nullptr)
            dispatch(added_[index], *known[index]);
        else
            wait_for_user(std::move(added_[index]));
    }
    added_.clear();
}

void FanOut::wait_for_user(Item item) {
    const std::string user_id(item.event->user_id());
    const auto [user, is_new] = waiting_.try_emplace(user_id);
    user->second.items.push_back(std::move(item));
    if (!is_new) return;
    wanted_.push_back(user_id);
    // One load at a time: the users that turn up meanwhile share the next one.
    if (!loading_ && !retry_timer_->pending()) retry_timer_->set(scheduler_.now());
}

void FanOut::dispatch(const Item& item, const core::Subscriptions& subscriptions) {
    if (item.claimed) {
        dispatch_claimed(item, subscriptions);
        return;
    }
    const core::Event& event = *item.event;
    if (!settlement_.live(event.record().assignment())) {
        settlement_.expect(event.record(), 0);
        return;
    }
    std::uint32_t owed = 0;
    std::uint32_t skipped = 0;
    const auto is_owed = [&](const core::WebhookPtr& webhook) {
        return webhook->events.contains(event.type()) && !is_recorded(item.recorded, event, *webhook);
    };
    for (const core::WebhookPtr& webhook : subscriptions) {
        if (is_owed(webhook))
            ++owed;
        else if (webhook->events.contains(event.type()))
            ++skipped;
    }
    if (skipped > 0) metrics_.deliveries_skipped.Increment(skipped);
    settlement_.expect(event.record(), owed);
    if (owed == 0) return;
    for (const core::WebhookPtr& webhook : subscriptions)
        if (is_owed(webhook)) outputs_.dispatch(core::Delivery{item.event, webhook});
}

void FanOut::dispatch_claimed(const Item& item, const core::Subscriptions& subscriptions) {
    const ClaimedDelivery& claimed = *item.claimed;
    const auto found = std::find_if(subscriptions.begin(), subscriptions.end(),
                                    [&](const auto& webhook) { return webhook->id == claimed.webhook_id; });
    if (found == subscriptions.end())
        outputs_.webhook_gone(claimed);
    else
        outputs_.dispatch(core::Delivery{item.event, *found, claimed.claim, claimed.attempt});
}

void FanOut::load_wanted() {
    if (loading_ || wanted_.empty()) return;
    loading_ = true;
    const std::size_t count = std::min(wanted_.size(), max_users_per_load);
    const auto end = wanted_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<std::string> asked(wanted_.begin(), end);
    wanted_.erase(wanted_.begin(), end);
    for (const std::string& user_id : asked) {
        WaitingUser& user = waiting_.at(user_id);
        user.loading = true;
        user.stale = false;
    }
    source_.load(asked, [this, asked](auto loaded) { on_loaded(asked, std::move(loaded)); });
}

void FanOut::on_loaded(const std::vector<std::string>& asked,
                       base::Result<std::vector<ports::UserSubscriptions>> loaded) {
    loading_ = false;
    if (!loaded) {
        base::log::warning("could not load subscriptions; their events wait",
                           {{"users", asked.size()},
                            {"retry_in_ms", retry_delay_.count()},
                            {"reason", loaded.error().message}});
        for (const std::string& user_id : asked)
            waiting_.at(user_id).loading = false;
        wanted_.insert(wanted_.end(), asked.begin(), asked.end());
        retry_timer_->set(scheduler_.now() + retry_delay_);
        retry_delay_ = std::min(retry_delay_ * 2, last_retry_delay);
        return;
    }
    retry_delay_ = first_retry_delay;
    for (ports::UserSubscriptions& user : *loaded)
        on_user(std::move(user));
    load_wanted();
    outputs_.turn_ended();
}

void FanOut::on_user(ports::UserSubscriptions user) {
    const auto found = waiting_.find(user.user_id);
    if (found == waiting_.end()) return;
    if (found->second.stale) {
        found->second.loading = false;
        wanted_.push_back(user.user_id);
        return;
    }
    const std::vector<Item> items = std::move(found->second.items);
    waiting_.erase(found);
    core::Subscriptions subscriptions(std::make_move_iterator(user.webhooks.begin()),
                                      std::make_move_iterator(user.webhooks.end()));
    for (const Item& item : items)
        dispatch(item, subscriptions);
    cache_.insert(std::move(user.user_id), std::move(subscriptions));
}

void FanOut::forget(const std::string& user_id) {
    cache_.erase(user_id);
    const auto found = waiting_.find(user_id);
    if (found != waiting_.end()) found->second.stale = found->second.loading;
}

void FanOut::forget_all() {
    cache_.clear();
    for (auto& [user_id, user] : waiting_)
        user.stale = user.loading;
}

} // namespace docmap::pipeline
