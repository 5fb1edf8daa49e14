// One life of one instance: the real pipeline and shards of the daemon on simulated threads and edges, from
// its start to its end by a kill or a drain.
#pragma once

#include "async/shared_slots.hpp"
#include "base/metrics.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/shard.hpp"
#include "simulation/consumer_group.hpp"
#include "simulation/endpoints.hpp"
#include "simulation/store_ports.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace docmap::simulation {

/// What all lives share.
struct Surroundings {
    World& world;
    const Scenario& scenario;
    Conditions& conditions;
    Database& database;
    KafkaLog& log;
    Coordinator& coordinator;
    Oracle& oracle;
};

class Life {
  public:
    Life(Surroundings& surroundings, LifePtr state);
    ~Life();

    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;

    const LifePtr& state() const { return state_; }

    /// The same as the daemon at SIGTERM; `drained` runs at its end.
    void drain(std::function<void()> drained);

    /// A webhook's change is on its way to this instance.
    void tell(std::size_t webhook, bool removed);
    /// It hears of no change until then, and then that it may have missed some.
    void lose_listener(base::SteadyTime until);

    /// Whether nothing is in it: no record, no delivery, no claim, the whole budget given back.
    bool empty() const;
    /// What is in it, for a finding.
    std::string describe_rest() const;
    bool owns_claims() const { return surroundings_.database.owns_anything(store_->queue.name()); }

    /// Outlives the life.
    std::shared_ptr<StoreEdge> store() const { return store_; }

  private:
    class ShardOutput;
    struct ShardThread;

    void hear(std::size_t webhook, bool removed);

    Surroundings& surroundings_;
    LifePtr state_;
    base::Metrics metrics_;
    Thread control_;
    Thread kafka_thread_;
    std::shared_ptr<StoreEdge> store_;
    async::SharedSlots slots_;
    pipeline::Pipeline pipeline_;
    GroupMember member_;
    std::unique_ptr<ShardOutput> output_;
    std::vector<std::unique_ptr<ShardThread>> shards_;
    base::SteadyTime listens_again_{};
};

} // namespace docmap::simulation
