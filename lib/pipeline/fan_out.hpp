// Turns events into deliveries: one for each webhook of the event's user that subscribes to it, and one for
// what comes from the delivery queue. Subscriptions come from a bounded cache; users who are not in it are
// loaded many at a time, and their events wait. Lives on the control thread; owned by the pipeline. What
// waits is bounded by the intake budget.
#pragma once

#include "async/scheduler.hpp"
#include "base/metrics.hpp"
#include "core/attempt.hpp"
#include "core/replay_filter.hpp"
#include "core/subscription_cache.hpp"
#include "pipeline/settlement.hpp"
#include "ports/subscriptions.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace docmap::pipeline {

/// A delivery from the queue that waits for its webhook.
struct ClaimedDelivery {
    std::string webhook_id;
    std::shared_ptr<const core::QueueClaim> claim;
    std::uint16_t attempt = 1;
};

class FanOut {
  public:
    struct Outputs {
        std::function<void(core::Delivery)> dispatch;
        /// A delivery from the queue whose webhook is deleted or inactive.
        std::function<void(const ClaimedDelivery&)> webhook_gone;
        /// Runs after deliveries were dispatched outside a call of add() or flush().
        std::function<void()> turn_ended;
    };

    FanOut(std::size_t max_cached_users, async::Scheduler& scheduler, ports::SubscriptionSource& source,
           Settlement& settlement, base::Metrics& metrics, Outputs outputs);

    /// Dispatches the event's deliveries but those in `recorded`, by the next flush() or once its user's
    /// subscriptions are loaded.
    void add(core::EventPtr event, std::vector<core::RecordedDelivery> recorded);

    /// Dispatches a delivery from the queue, whatever its webhook subscribes to by now: it was owed when it
    /// was stored.
    void add_claimed(core::EventPtr event, ClaimedDelivery claimed);

    /// Dispatches what was added. At the end of each turn that added something: what is known of the users
    /// must not change in between.
    void flush();

    /// The user's subscriptions changed: they are loaded anew before they are used again.
    void forget(const std::string& user_id);
    void forget_all();

  private:
    struct Item {
        core::EventPtr event;
        std::vector<core::RecordedDelivery> recorded;
        std::unique_ptr<ClaimedDelivery> claimed{}; ///< null: the event was just read from its partition
    };

    struct WaitingUser {
        std::vector<Item> items;
        bool loading = false;
        bool stale = false; ///< changed while it was being loaded
    };

    /// So many events are looked up together, while their memory is still in the processor's caches.
    static constexpr std::size_t items_at_a_time = 32;
    static constexpr std::size_t max_users_per_load = 500;
    static constexpr std::chrono::milliseconds first_retry_delay{100};
    static constexpr std::chrono::milliseconds last_retry_delay{5000};

    void add(Item item);
    void wait_for_user(Item item);
    void dispatch(const Item& item, const core::Subscriptions& subscriptions);
    void dispatch_claimed(const Item& item, const core::Subscriptions& subscriptions);
    void load_wanted();
    void on_loaded(const std::vector<std::string>& asked,
                   base::Result<std::vector<ports::UserSubscriptions>> loaded);
    void on_user(ports::UserSubscriptions user);

    async::Scheduler& scheduler_;
    ports::SubscriptionSource& source_;
    Settlement& settlement_;
    base::Metrics& metrics_;
    Outputs outputs_;
    core::SubscriptionCache cache_;
    std::vector<Item> added_; ///< since the last flush
    std::unordered_map<std::string, WaitingUser> waiting_;
    std::vector<std::string> wanted_; ///< users to load next
    bool loading_ = false;
    std::chrono::milliseconds retry_delay_ = first_retry_delay;
    std::unique_ptr<async::Timer> retry_timer_;
};

} // namespace docmap::pipeline
