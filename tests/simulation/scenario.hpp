// What happens in one run, drawn from its seed: configuration, webhooks, events, and what breaks when.
// Nothing in it depends on what the product does.
#pragma once

#include "base/time.hpp"
#include "config/config.hpp"
#include "core/webhook.hpp"
#include "simulation/world.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace docmap::simulation {

/// How an endpoint answers.
enum class Behaviour {
    ok,
    slow,   ///< 2xx after seconds
    hang,   ///< nothing until the deadline
    refuse, ///< no connection
    error_500,
    error_400,
    overloaded_429, ///< sometimes with Retry-After
    overloaded_503, ///< sometimes with Retry-After
    gone_410,
    reset_after_delivery, ///< the event arrives, its answer is lost
    flapping,             ///< any of the above but gone_410
};

struct Phase {
    base::SteadyTime until;
    Behaviour behaviour;
};

struct WebhookPlan {
    core::WebhookPtr webhook;
    base::SteadyTime created;
    std::optional<base::SteadyTime> ends; ///< deleted or deactivated by its user
    std::vector<Phase> phases;
    Behaviour at_last = Behaviour::ok;

    Behaviour behaviour(base::SteadyTime now) const {
        for (const Phase& phase : phases)
            if (now < phase.until) return phase.behaviour;
        return at_last;
    }
};

struct PartitionPlan {
    std::string topic;
    std::int32_t number = 0;
};

struct EventPlan {
    base::SteadyTime at;
    std::size_t partition = 0;        ///< index into Scenario::partitions
    std::int64_t offsets_skipped = 0; ///< before it, as by compaction or transaction markers
    std::string user_id;
    core::EventType type{};
    bool valid = true;
    std::optional<std::string> value;
};

enum class FaultKind {
    kill,   ///< of an instance, at once
    drain,  ///< SIGTERM of an instance
    freeze, ///< SIGSTOP and SIGCONT of an instance
    database_away,
    kafka_away,
    listener_away, ///< one instance hears of no change of a webhook
    rebalance      ///< for no reason
};

struct Fault {
    base::SteadyTime at;
    FaultKind kind{};
    std::size_t instance = 0;
    std::chrono::nanoseconds duration{}; ///< until the restart, the thaw or the return
};

struct Chances {
    double database_fails = 0;       ///< a call fails before it takes effect
    double database_answer_lost = 0; ///< a call takes effect, and its answer does not come
    double database_slow = 0;        ///< a call takes up to seconds
    double commit_fails = 0;         ///< an offset commit is refused
};

struct Scenario {
    config::Config config;
    std::size_t instances = 1;
    std::size_t shards = 1;
    std::vector<PartitionPlan> partitions;
    std::vector<WebhookPlan> webhooks;
    std::vector<EventPlan> events; ///< by time
    std::vector<Fault> faults;
    Chances chances;
    base::SteadyTime faults_end;
    base::SteadyTime deadline; ///< the world is quiet by then
};

Scenario make_scenario(Random random);

} // namespace docmap::simulation
