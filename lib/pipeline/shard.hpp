// Delivers: one shard owns a share of the endpoints, with their gates and prepared request heads, and sends
// through its own transport. What an endpoint cannot take soon enough is handed out to be parked. Everything
// happens on the shard's thread but where noted; owned by the wiring. Stops by drain(): what has not begun is
// left undone, what is in flight may end until the deadline.
#pragma once

#include "async/scheduler.hpp"
#include "async/shared_slots.hpp"
#include "base/hash_index.hpp"
#include "core/attempt.hpp"
#include "core/lease.hpp"
#include "core/signature.hpp"
#include "pipeline/endpoint.hpp"
#include "ports/transport.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace docmap::pipeline {

struct ShardSettings {
    std::size_t index = 0; ///< the shard's number, from 0
    core::GateSettings gate;
    std::size_t max_endpoints = 20000; ///< prepared endpoints kept; idle ones beyond it are forgotten
    std::chrono::milliseconds timeout{10000};
    std::vector<std::chrono::milliseconds> retry_schedule; ///< empty: one attempt only
    std::uint64_t random_seed = 0;                         ///< for the retries' jitter
    /// Longest wait of a finished attempt for others, so that many are handed over at once; 0: for one turn.
    std::chrono::milliseconds hand_over_linger{0};
    /// While it does not permit, nothing begins of what was read from Kafka: its partitions may be another
    /// instance's by now. Null: always permitted. Must outlive the shard.
    const core::Lease* membership = nullptr;
};

/// What becomes of deliveries. Called on the shard's thread, once per turn.
class DeliverySink {
  public:
    virtual ~DeliverySink() = default;

    virtual void on_attempts(std::vector<core::AttemptRecord> attempts) = 0;

    /// Deliveries that were not attempted since their webhook or their partition is gone.
    virtual void on_dropped(std::vector<core::Delivery> deliveries) = 0;

    /// Deliveries that are not to be attempted now: they belong into the delivery queue. Those with a claim
    /// are there already.
    virtual void on_parked(std::vector<core::ParkedDelivery> deliveries) = 0;
};

class Shard final : public ports::ExchangeListener {
  public:
    Shard(ShardSettings settings, async::Scheduler& scheduler, async::SharedSlots& slots, DeliverySink& sink);
    ~Shard() override;

    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    /// What requests are sent through. Before the first delivery; must outlive the shard's last attempt.
    void attach(ports::Transport& transport) { transport_ = &transport; }

    void submit(std::vector<core::Delivery> deliveries);

    /// No new attempt to the webhook begins after this.
    void remove_webhook(std::string_view webhook_id);

    /// Deliveries of these assignments that have not begun are dropped: another instance makes them.
    void revoke(const std::vector<core::AssignmentId>& assignments);

    /// Begins nothing more; cuts off at `deadline` what is still in flight; then runs `drained`, once.
    void drain(base::SteadyTime deadline, std::function<void()> drained);

    void on_exchange_done(ports::Exchange& exchange) override;

  private:
    struct Attempt;

    static constexpr std::size_t deliveries_at_a_time = 16;

    void enqueue(std::span<core::Delivery> deliveries, base::SteadyTime now);
    Endpoint& endpoint_for(const core::WebhookPtr& webhook);
    void forget_idle_endpoints(std::size_t max_looks);
    void update_state(Endpoint& endpoint, base::SteadyTime now);
    void hold(Endpoint& endpoint, base::SteadyTime now);
    void wait_for_rate(Endpoint& endpoint, base::SteadyTime now);
    void pump(base::SteadyTime now);
    void fetch_ahead() const;
    bool begin_next(base::SteadyTime now);
    void begin(Endpoint& endpoint, base::SteadyTime now);
    void schedule_send();
    void send_begun();
    core::EndpointAnswer record(Attempt& attempt, base::SteadyTime now);
    void park(core::Delivery delivery, const Endpoint& endpoint);
    bool is_member(base::SteadyTime now) const;
    void shed(Endpoint& endpoint, base::SteadyTime now);
    void shed_held();
    void remove_waiting(Endpoint& endpoint, const std::function<bool(const core::Delivery&)>& predicate);
    bool take_slot();
    void yield_slots();
    void give_slots_back();
    void schedule_flush();
    void flush();
    void report_if_drained();

    ShardSettings settings_;
    async::Scheduler& scheduler_;
    async::SharedSlots& slots_;
    DeliverySink& sink_;
    ports::Transport* transport_ = nullptr;

    base::HashIndex<core::WebhookId::Hash, Endpoint, core::WebhookId::LowHalf> endpoints_;
    Endpoints<AllHook> all_; ///< the next to be looked at as one to forget first
    Endpoints<HeldHook>
        held_; ///< with deliveries but unable to start one; and perhaps some that are able by now
    std::deque<Endpoint*> ready_; ///< endpoints that can start a delivery, each once, served in turn
    std::unique_ptr<async::Timer> shed_timer_;
    std::mt19937_64 random_;

    std::vector<std::unique_ptr<Attempt>> attempts_; ///< all of them, in flight or free: no more than slots
    std::vector<Attempt*> free_attempts_;
    std::vector<Attempt*> begun_;     ///< to be signed together and sent in this turn
    base::SystemTime begun_at_{};     ///< when the first of these began
    core::SignatureBatch signatures_; ///< of these
    bool send_scheduled_ = false;
    std::size_t in_flight_ = 0;   ///< begun and not ended
    std::size_t spare_slots_ = 0; ///< freed in this turn, to be used again before others are woken for them
    std::size_t freed_slots_ = 0; ///< so far
    std::unique_ptr<async::Timer> yield_timer_; ///< while it runs others may have what is free

    std::vector<core::AttemptRecord> finished_;
    std::vector<core::Delivery> dropped_;
    std::vector<core::ParkedDelivery> parked_;
    bool flush_scheduled_ = false;
    std::unique_ptr<async::Timer> flush_timer_;

    bool draining_ = false;
    std::unique_ptr<async::Timer> drain_timer_;
    std::function<void()> drained_;
};

} // namespace docmap::pipeline
