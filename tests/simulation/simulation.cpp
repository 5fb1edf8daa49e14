#include "simulation/simulation.hpp"

#include "simulation/life.hpp"

#include <algorithm>
#include <utility>

namespace docmap::simulation {

namespace {

using namespace std::chrono_literals;

/// A run takes some ten thousand steps. Beyond this it goes round in circles.
constexpr std::uint64_t max_steps = 3'000'000;

/// SIGTERM to the end, at most, apart from a freeze.
constexpr auto longest_drain = 15s;

class Run {
  public:
    Run(std::uint64_t seed, Mutation mutation, bool tracing)
        : world_(seed, tracing),
          scenario_(make_scenario(world_.random("scenario"))), conditions_{scenario_, mutation},
          oracle_(world_, scenario_), log_(world_, scenario_, oracle_),
          database_(world_, scenario_, conditions_, log_, oracle_), coordinator_(world_, conditions_, log_),
          random_(world_.random("run")), instances_(scenario_.instances) {}

    Outcome go();

  private:
    void plan();
    void start(std::size_t instance);
    void stop(std::size_t instance);
    void strike(const Fault& fault);
    void drain(std::size_t instance, std::chrono::nanoseconds until_restart);
    void on_drained(std::size_t instance, std::uint64_t life, std::chrono::nanoseconds until_restart);
    void restart_after(std::size_t instance, std::chrono::nanoseconds delay);
    void tell(std::size_t webhook, bool removed);
    bool quiet() const;
    void judge();

    World world_;
    Scenario scenario_;
    Conditions conditions_;
    Oracle oracle_;
    KafkaLog log_;
    Database database_;
    Coordinator coordinator_;
    Random random_;
    Surroundings surroundings_{world_, scenario_, conditions_, database_, log_, coordinator_, oracle_};
    std::vector<std::unique_ptr<Life>> instances_;  ///< null: not running
    std::vector<std::shared_ptr<StoreEdge>> edges_; ///< of all lives so far
    std::uint64_t lives_ = 0;
};

void Run::plan() {
    database_.on_change([this](std::size_t webhook, bool removed) { tell(webhook, removed); });
    for (std::size_t webhook = 0; webhook < scenario_.webhooks.size(); ++webhook) {
        const WebhookPlan& planned = scenario_.webhooks[webhook];
        if (planned.created < World::start)
            database_.create_webhook(webhook);
        else
            world_.at(planned.created, [this, webhook] { database_.create_webhook(webhook); });
        if (planned.ends) world_.at(*planned.ends, [this, webhook] { database_.end_webhook(webhook); });
    }
    for (std::size_t event = 0; event < scenario_.events.size(); ++event)
        world_.at(scenario_.events[event].at, [this, event] { log_.produce(event); });
    for (const Fault& fault : scenario_.faults)
        world_.at(fault.at, [this, &fault] { strike(fault); });
    for (std::size_t instance = 0; instance < instances_.size(); ++instance)
        world_.after(random_.chance(0.5) ? 0s : random_.between(0s, 10s),
                     [this, instance] { start(instance); });
}

void Run::start(std::size_t instance) {
    if (instances_[instance]) return;
    auto state = std::make_shared<LifeState>();
    state->number = ++lives_;
    state->name = "instance " + std::to_string(instance) + "." + std::to_string(state->number);
    instances_[instance] = std::make_unique<Life>(surroundings_, std::move(state));
    edges_.push_back(instances_[instance]->store());
}

void Run::stop(std::size_t instance) {
    world_.trace(instances_[instance]->state()->name + " ends");
    instances_[instance].reset();
}

void Run::restart_after(std::size_t instance, std::chrono::nanoseconds delay) {
    world_.after(delay, [this, instance] { start(instance); });
}

void Run::strike(const Fault& fault) {
    Life* const life = instances_[fault.instance].get();
    const base::SteadyTime until = world_.now() + fault.duration;
    switch (fault.kind) {
    case FaultKind::kill:
        if (life == nullptr) return;
        stop(fault.instance);
        restart_after(fault.instance, fault.duration);
        return;
    case FaultKind::drain:
        if (life != nullptr) drain(fault.instance, fault.duration);
        return;
    case FaultKind::freeze:
        if (life == nullptr) return;
        world_.trace(life->state()->name + " is frozen");
        life->state()->frozen_until = std::max(life->state()->frozen_until, until);
        life->state()->last_frozen_until = life->state()->frozen_until;
        return;
    case FaultKind::database_away:
        world_.trace("the database goes away");
        conditions_.database_back = std::max(conditions_.database_back, until);
        return;
    case FaultKind::kafka_away:
        world_.trace("Kafka goes away");
        conditions_.kafka_back = std::max(conditions_.kafka_back, until);
        return;
    case FaultKind::listener_away:
        if (life != nullptr) life->lose_listener(until);
        return;
    case FaultKind::rebalance:
        coordinator_.rebalance();
    }
}

void Run::drain(std::size_t instance, std::chrono::nanoseconds until_restart) {
    if (std::exchange(instances_[instance]->state()->draining, true)) return;
    const std::uint64_t number = instances_[instance]->state()->number;
    const auto same = [this, instance, number] {
        return instances_[instance] && instances_[instance]->state()->number == number;
    };
    // Its owner must not end it from inside itself.
    instances_[instance]->drain([this, instance, number, until_restart] {
        world_.after(
            0ns, [this, instance, number, until_restart] { on_drained(instance, number, until_restart); });
    });
    const base::SteadyTime begun = world_.now();
    world_.after(longest_drain + 1s, [this, instance, begun, same] {
        if (!same()) return;
        const LifeState& state = *instances_[instance]->state();
        oracle_.require(state.last_frozen_until > begun, "a drain takes too long: " + state.name);
    });
}

void Run::on_drained(std::size_t instance, std::uint64_t life, std::chrono::nanoseconds until_restart) {
    if (!instances_[instance] || instances_[instance]->state()->number != life) return;
    stop(instance);
    restart_after(instance, until_restart);
}

void Run::tell(std::size_t webhook, bool removed) {
    std::set<std::uint64_t> told;
    for (std::size_t instance = 0; instance < instances_.size(); ++instance) {
        if (!instances_[instance]) continue;
        const std::uint64_t number = instances_[instance]->state()->number;
        told.insert(number);
        world_.after(random_.between(100us, 30ms), [this, instance, number, webhook, removed] {
            if (instances_[instance] && instances_[instance]->state()->number == number)
                instances_[instance]->tell(webhook, removed);
        });
    }
    if (!removed) oracle_.on_webhook_created(webhook, told);
}

bool Run::quiet() const {
    return world_.now() > scenario_.faults_end && log_.all_produced() && log_.all_committed() &&
           database_.queue_empty() && std::all_of(instances_.begin(), instances_.end(), [](const auto& life) {
               return life && life->empty();
           });
}

void Run::judge() {
    for (std::size_t partition = 0; partition < log_.partitions(); ++partition) {
        const PartitionLog& log = log_.partition(partition);
        oracle_.require(log.entries.empty() || log.committed > log.entries.back().offset,
                        "records are never settled: " + *log.topic + "[" + std::to_string(log.number) +
                            "] is committed up to " + std::to_string(log.committed) + " of " +
                            std::to_string(log.next_offset));
    }
    oracle_.judge([this](DeliveryKey key) {
        const Database::Row* const row = database_.waiting(key);
        if (row == nullptr) return Oracle::Rest{};
        // What waits for an endpoint that stays down may still wait.
        return Oracle::Rest{true, scenario_.webhooks[key.webhook].at_last != Behaviour::ok,
                            database_.describe(*row)};
    });
    for (const auto& life : instances_) {
        oracle_.require(life != nullptr, "an instance does not run at the end");
        // What still waits for an endpoint that is down may be under way.
        if (life && database_.queue_empty())
            oracle_.require(life->empty(), "something is left in " + life->describe_rest());
    }
}

Outcome Run::go() {
    plan();
    std::uint64_t looks = 0;
    while (!oracle_.failed() && world_.step(scenario_.deadline)) {
        oracle_.require(world_.steps() < max_steps, "it goes round in circles");
        if (++looks % 256 == 0 && quiet()) break;
    }
    // What is under way with the database now would change something only where something is wrong.
    const base::SteadyTime end = world_.now() + 5s;
    while (!oracle_.failed() && world_.step(end)) {
    }
    if (!oracle_.failed()) judge();
    Outcome outcome{oracle_.finding(), world_.steps(), oracle_.requests()};
    for (auto& life : instances_)
        life.reset();
    return outcome;
}

} // namespace

Outcome simulate(std::uint64_t seed, Mutation mutation, bool tracing) {
    return Run(seed, mutation, tracing).go();
}

} // namespace docmap::simulation
