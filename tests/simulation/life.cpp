#include "simulation/life.hpp"

#include <utility>

namespace docmap::simulation {

using namespace std::chrono_literals;

namespace {

pipeline::ShardSettings shard_settings(const config::Delivery& delivery, std::size_t index,
                                       std::uint64_t seed) {
    pipeline::ShardSettings settings;
    settings.index = index;
    settings.gate.max_in_flight = delivery.max_in_flight_per_endpoint;
    settings.gate.max_queued = delivery.max_queued_per_endpoint;
    settings.gate.max_wait = delivery.max_wait;
    settings.gate.breaker = pipeline::breaker_settings(delivery);
    settings.max_endpoints = 4;
    settings.timeout = delivery.timeout;
    settings.retry_schedule = delivery.retry_schedule;
    settings.random_seed = seed;
    return settings;
}

} // namespace

/// Between the shards and the pipeline, to build in a defect.
class Life::ShardOutput final : public pipeline::DeliverySink {
  public:
    ShardOutput(pipeline::Pipeline& pipeline, const GroupMember& member, const Conditions& conditions)
        : pipeline_(pipeline), member_(member), conditions_(conditions) {}

    void on_attempts(std::vector<core::AttemptRecord> attempts) override {
        if (conditions_.mutation == Mutation::forget_generation)
            for (core::AttemptRecord& attempt : attempts)
                count_for_present_assignment(attempt.delivery);
        pipeline_.on_attempts(std::move(attempts));
    }
    void on_dropped(std::vector<core::Delivery> deliveries) override {
        pipeline_.on_dropped(std::move(deliveries));
    }
    void on_parked(std::vector<core::ParkedDelivery> deliveries) override {
        pipeline_.on_parked(std::move(deliveries));
    }

  private:
    void count_for_present_assignment(core::Delivery& delivery) const {
        const core::Event& event = *delivery.event;
        if (delivery.claim || !member_.revoked(event.record().assignment())) return;
        const core::RecordPtr present = member_.current(event.record());
        if (!present) return;
        delivery.event = core::Event::create(
            present, {event.type(), event.id(), event.user_id(), event.extraction_id(), event.body_hash()});
    }

    pipeline::Pipeline& pipeline_;
    const GroupMember& member_;
    const Conditions& conditions_;
};

struct Life::ShardThread {
    ShardThread(Surroundings& surroundings, const LifePtr& state, async::SharedSlots& slots,
                pipeline::DeliverySink& sink, StoreEdge& store, std::size_t index)
        : thread(surroundings.world, state,
                 surroundings.world.random("shard thread", state->number * 100 + index)),
          shard(shard_settings(surroundings.scenario.config.delivery, index, state->number * 100 + index),
                thread, slots, sink),
          transport(store.context, store.queue, thread, shard, index) {
        shard.attach(transport);
    }

    Thread thread;
    pipeline::Shard shard;
    SimTransport transport;
};

Life::Life(Surroundings& surroundings, LifePtr state)
    : surroundings_(surroundings), state_(std::move(state)),
      control_(surroundings.world, state_, surroundings.world.random("control thread", state_->number)),
      kafka_thread_(surroundings.world, state_, surroundings.world.random("kafka thread", state_->number)),
      store_(std::make_shared<StoreEdge>(StoreContext{
          surroundings.world, surroundings.scenario, surroundings.conditions, surroundings.database,
          surroundings.log, surroundings.oracle, state_, control_.mailbox()})),
      slots_(surroundings.scenario.config.delivery.max_in_flight, surroundings.scenario.shards),
      pipeline_(surroundings.scenario.config,
                {control_, store_->subscriptions, store_->attempts, store_->rejected, store_->recorded,
                 store_->parked, store_->queue},
                metrics_),
      member_(surroundings.coordinator, surroundings.conditions, store_->context, kafka_thread_, control_,
              pipeline_),
      output_(std::make_unique<ShardOutput>(pipeline_, member_, surroundings.conditions)) {
    std::vector<pipeline::Pipeline::ShardHandle> handles;
    for (std::size_t index = 0; index < surroundings.scenario.shards; ++index) {
        ShardThread& added = *shards_.emplace_back(
            std::make_unique<ShardThread>(surroundings, state_, slots_, *output_, *store_, index));
        handles.push_back({&added.shard, &added.thread});
    }
    surroundings_.world.trace(state_->name + " starts");
    control_.post([this, handles = std::move(handles)] {
        pipeline_.start(handles, member_);
        member_.start();
    });
}

Life::~Life() {
    state_->alive = false;
    surroundings_.oracle.on_life_ended(state_);
    store_->context.origins.clear();
}

void Life::drain(std::function<void()> drained) {
    surroundings_.world.trace(state_->name + " drains");
    control_.post([this, drained = std::move(drained)]() mutable {
        const base::SteadyTime attempts_deadline =
            control_.now() + surroundings_.scenario.config.delivery.drain_timeout;
        pipeline_.drain(attempts_deadline, attempts_deadline + 2s, std::move(drained));
    });
}

void Life::tell(std::size_t webhook, bool removed) {
    if (surroundings_.world.now() < listens_again_) return;
    control_.post([this, webhook, removed] { hear(webhook, removed); });
}

void Life::hear(std::size_t webhook, bool removed) {
    const core::Webhook& changed = *surroundings_.scenario.webhooks[webhook].webhook;
    surroundings_.world.trace(state_->name + " hears that " + changed.id.text() +
                              (removed ? " is gone" : " is new"));
    pipeline_.on_webhook_changed(changed.user_id, changed.id.text(), removed);
    surroundings_.oracle.on_told(webhook, state_, removed);
}

void Life::lose_listener(base::SteadyTime until) {
    listens_again_ = std::max(listens_again_, until);
    surroundings_.world.at(until, [this, state = state_, mailbox = control_.mailbox()] {
        mailbox.post([this] {
            pipeline_.on_changes_missed();
            for (std::size_t webhook = 0; webhook < surroundings_.scenario.webhooks.size(); ++webhook)
                surroundings_.oracle.on_told(webhook, state_, false);
        });
    });
}

bool Life::empty() const {
    for (const auto& shard : shards_)
        if (shard->transport.in_flight() > 0) return false;
    return pipeline_.unsettled() == 0 && pipeline_.claimed() == 0 && slots_.in_use() == 0 &&
           member_.all_given_back();
}

std::string Life::describe_rest() const {
    return state_->name + ": " + std::to_string(pipeline_.unsettled()) + " records unsettled, " +
           std::to_string(pipeline_.claimed()) + " deliveries claimed, " + std::to_string(slots_.in_use()) +
           " slots in use, " +
           (member_.all_given_back() ? "the whole budget given back" : "budget not given back");
}

} // namespace docmap::simulation
