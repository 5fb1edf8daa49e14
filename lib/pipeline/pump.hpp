// Feeds what is due in the delivery queue back into the pipeline: retries, and what was parked. Claims
// endpoints, not single rows: what waits for an endpoint is one instance's at a time. Sleeps until something
// is due. Lives on the control thread; owned by the pipeline. What it holds is bounded by its settings.
#pragma once

#include "async/scheduler.hpp"
#include "base/metrics.hpp"
#include "core/attempt.hpp"
#include "core/circuit_breaker.hpp"
#include "ports/delivery_queue.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace docmap::pipeline {

struct PumpSettings {
    std::chrono::milliseconds lease{30000}; ///< how long claims outlive a sign of life
    std::chrono::milliseconds attempt_time{
        12000}; ///< from the start of an attempt until it is stored, at most
    std::size_t max_claimed_events = 2000;
    std::size_t max_claimed_bytes = 64 * 1024 * 1024;
    std::size_t max_events_per_endpoint = 32;
    /// How long a statement may go on in the database after its answer was lost.
    std::chrono::milliseconds statement_time{30000};
    core::BreakerSettings breaker;
};

class Pump {
  public:
    /// Takes a delivery on; afterwards the pump hears of its end by one of the on_… calls.
    using Deliver = std::function<void(ports::QueuedDelivery, std::shared_ptr<const core::QueueClaim>)>;
    /// Runs after deliveries were handed out.
    using TurnEnded = std::function<void()>;

    Pump(PumpSettings settings, async::Scheduler& scheduler, ports::DeliveryQueue& queue,
         base::Metrics& metrics, Deliver deliver, TurnEnded turn_ended);

    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;

    void start();

    /// Claims nothing more.
    void stop();

    /// Gives everything back; `done` runs once that is stored, or has failed. After stop().
    void leave(std::function<void()> done);

    /// Something may be due in the queue at `due`, or now.
    void wake_at(base::SystemTime due);
    void wake();

    /// An attempt of a claimed delivery is stored.
    void on_stored(const core::AttemptRecord& attempt);

    /// A claimed delivery was not attempted: its endpoint cannot take it now, or not before a time.
    void on_returned(const core::ParkedDelivery& returned);

    /// A claimed delivery's webhook is deleted or inactive.
    void on_webhook_gone(const core::QueueClaim& claim);

    /// Claimed deliveries in this process.
    std::size_t held() const { return held_.size(); }

  private:
    struct Endpoint {
        std::string id;
        std::uint64_t claim = 0;            ///< counts the claims: the same endpoint may be claimed anew
        std::uint32_t failures = 0;         ///< in a row, because of the endpoint
        std::size_t outstanding = 0;        ///< deliveries handed out and not ended
        std::size_t batch = 0;              ///< how many may be handed out at once; grows as they succeed
        bool busy = false;                  ///< something is noted or under way for it with the database
        bool exhausted = false;             ///< nothing more is due, or nothing more is to be sent now
        bool gone = false;                  ///< its webhook may be deleted or inactive
        std::chrono::milliseconds pause{0}; ///< how long it is to be left alone at least, once given back
        bool rate_limited = false;          ///< its pause counts also once nothing waits for it
    };

    struct Held {
        Endpoint* endpoint = nullptr; ///< null: the claim was lost
        std::size_t bytes = 0;
    };

    static constexpr std::size_t max_endpoints_per_claim = 64;
    static constexpr std::size_t first_batch = 4;
    static constexpr std::chrono::milliseconds least_time_between_claims{20};
    static constexpr std::chrono::milliseconds return_pause{1000};
    static constexpr std::chrono::milliseconds unusable_pause{60'000};
    static constexpr std::chrono::milliseconds first_retry_delay{250};
    static constexpr std::chrono::milliseconds last_retry_delay{5000};

    void keep_alive();
    void on_alive(base::SteadyTime asked_at, base::Result<bool> kept);
    void lose_claims();
    void look();
    void claim();
    void release_unknown();
    void forget(const std::string& webhook_id);
    void on_claimed(const ports::ClaimLimits& limits, base::Result<ports::Claim> claim);
    void retry_claim(const char* what, const base::Error& error);
    void doubt();
    void on_taken(const std::vector<ports::TakeRequest>& asked,
                  base::Result<std::vector<ports::ClaimedEndpoint>> taken);
    void hand_out(Endpoint& endpoint, std::vector<ports::QueuedDelivery> deliveries);
    Endpoint* end_delivery(const core::QueueClaim& claim);
    std::size_t batch_of(const Endpoint& endpoint) const;
    void consider(Endpoint& endpoint);
    void schedule_turn();
    void turn();
    void take_more();
    void end_gone();
    void release_idle();
    static void again(std::vector<std::string>& list, const std::vector<std::string>& ids);
    void retry_later(const char* what, const base::Error& error);
    void wake_when(base::SteadyTime when);
    std::vector<std::int64_t> held_rows() const;
    std::size_t room() const;
    std::size_t room_to_take() const;
    void on_answered(std::size_t asked);
    std::size_t free_bytes() const;

    PumpSettings settings_;
    async::Scheduler& scheduler_;
    ports::DeliveryQueue& queue_;
    base::Metrics& metrics_;
    Deliver deliver_;
    TurnEnded turn_ended_;
    std::shared_ptr<core::Lease> lease_ = std::make_shared<core::Lease>();
    std::unique_ptr<async::Timer> alive_timer_;
    std::unique_ptr<async::Timer> wake_timer_;
    std::unique_ptr<async::Timer> retry_timer_;
    base::SteadyTime earliest_claim_{};
    base::SteadyTime wake_time_{}; ///< what wake_timer_ is set to, while it is
    std::chrono::milliseconds retry_delay_ = first_retry_delay;
    std::uint64_t epoch_ = 0; ///< counts the losses of all claims: answers to older questions are void

    std::unordered_map<std::string, std::unique_ptr<Endpoint>> endpoints_; ///< claimed, by webhook id
    boost::unordered_flat_map<std::int64_t, Held> held_;                   ///< by row
    std::size_t held_bytes_ = 0;
    std::size_t asked_ = 0;              ///< deliveries that the answers under way may bring at most
    std::uint64_t claims_ = 0;           ///< endpoints claimed so far
    std::deque<std::string> wants_more_; ///< endpoints to ask more of at the end of the turn
    std::vector<std::string> idle_;      ///< endpoints with nothing handed out, to be given back
    std::vector<std::string> gone_;      ///< endpoints whose webhook is gone, to be ended
    bool alive_ = false;                 ///< this instance is known to the others
    std::size_t releases_ = 0;           ///< under way: what they give back may be anybody's
    bool claiming_ = false;
    bool claim_in_doubt_ = false; ///< an answer was lost: something may be claimed that is not known of …
    base::SteadyTime doubt_until_ = base::SteadyTime::min(); ///< … or will be, until its statement has ended
    bool look_again_ = false;
    bool turn_scheduled_ = false;
    bool stopping_ = false;
};

} // namespace docmap::pipeline
