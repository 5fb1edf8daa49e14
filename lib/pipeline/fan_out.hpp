// Turns events into deliveries: one for each webhook of the event's user that subscribes to it.
// Subscriptions come from a bounded cache; users who are not in it are loaded many at a time, and their
// events wait. Lives on the control thread; owned by the pipeline. What waits is bounded by the intake
// budget.
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
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace docmap::pipeline {

class FanOut {
  public:
    using Dispatch = std::function<void(core::Delivery)>;
    /// Runs after deliveries were dispatched outside a call of add().
    using TurnEnded = std::function<void()>;

    FanOut(std::size_t max_cached_users, async::Scheduler& scheduler, ports::SubscriptionSource& source,
           Settlement& settlement, base::Metrics& metrics, Dispatch dispatch, TurnEnded turn_ended);

    /// Dispatches the event's deliveries but those in `recorded`, now or once its user's subscriptions are
    /// loaded.
    void add(core::EventPtr event, std::vector<core::RecordedDelivery> recorded);

    /// The user's subscriptions changed: they are loaded anew before they are used again.
    void forget(const std::string& user_id);
    void forget_all();

  private:
    struct Item {
        core::EventPtr event;
        std::vector<core::RecordedDelivery> recorded;
    };

    struct WaitingUser {
        std::vector<Item> items;
        bool loading = false;
        bool stale = false; ///< changed while it was being loaded
    };

    static constexpr std::size_t max_users_per_load = 500;
    static constexpr std::chrono::milliseconds first_retry_delay{100};
    static constexpr std::chrono::milliseconds last_retry_delay{5000};

    void dispatch(const Item& item, const core::Subscriptions& subscriptions);
    void load_wanted();
    void on_loaded(const std::vector<std::string>& asked,
                   base::Result<std::vector<ports::UserSubscriptions>> loaded);
    void on_user(ports::UserSubscriptions user);

    async::Scheduler& scheduler_;
    ports::SubscriptionSource& source_;
    Settlement& settlement_;
    base::Metrics& metrics_;
    Dispatch dispatch_;
    TurnEnded turn_ended_;
    core::SubscriptionCache cache_;
    std::unordered_map<std::string, WaitingUser> waiting_;
    std::vector<std::string> wanted_; ///< users to load next
    bool loading_ = false;
    std::chrono::milliseconds retry_delay_ = first_retry_delay;
    std::unique_ptr<async::Timer> retry_timer_;
};

} // namespace docmap::pipeline
