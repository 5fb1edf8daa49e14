// Watches a run from outside and knows what must hold. It hears of what reaches the database, Kafka and the
// endpoints, never of what the product believes. The first thing it finds ends the run.
#pragma once

#include "core/attempt.hpp"
#include "simulation/scenario.hpp"
#include "simulation/thread.hpp"
#include "simulation/world.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace docmap::simulation {

/// An event owed to a webhook, by their numbers in the scenario.
struct DeliveryKey {
    std::size_t event = 0;
    std::size_t webhook = 0;
    friend auto operator<=>(const DeliveryKey&, const DeliveryKey&) = default;
};

/// What an instance knew when it took a delivery on: whatever was stored before `known_at` it can know of.
struct Origin {
    enum class Kind { partition, queue } kind{};
    std::size_t event = 0;
    std::uint64_t assignment = 0; ///< of a record read from its partition
    std::size_t webhook = 0;      ///< of a row of the queue
    std::int64_t row = 0;
    std::uint16_t attempt = 1;
    base::SteadyTime known_at{};
};

struct Request {
    LifePtr life;
    Origin origin;
    DeliveryKey key;
    base::SteadyTime begun{};
};

class Oracle {
  public:
    Oracle(World& world, const Scenario& scenario);

    // Webhooks
    void on_webhook_created(std::size_t webhook, const std::set<std::uint64_t>& lives);
    void on_told(std::size_t webhook, const LifePtr& life, bool removed);
    void on_webhook_ended(std::size_t webhook);
    void on_life_ended(const LifePtr& life);

    // Requests
    void on_request(const Request& request);
    void on_request_ended(const Request& request, bool aborted);
    /// Whether what the instance does with the assignment's records is too late for the next owner to know of
    /// it.
    bool late(const LifePtr& life, core::AssignmentId assignment) const;
    void on_assigned(const LifePtr& life, std::uint64_t assignment);
    void on_revoked(const LifePtr& life, std::uint64_t assignment);
    /// The group has put the instance out, which does not know of it yet.
    void on_lost(const LifePtr& life);

    // The database
    void on_attempt_stored(DeliveryKey key, const core::AttemptRecord& attempt, const LifePtr& by);
    void on_queued(DeliveryKey key, std::uint16_t attempt, bool late);
    void on_ended(DeliveryKey key);
    void on_rejected_stored(std::size_t event);

    // Kafka
    /// The group's offset of a partition now covers this event of it.
    void on_committed(std::size_t event);

    /// Holds the rule, or ends the run.
    void require(bool holds, const std::string& rule);

    /// At the end. `waits`: a row of the queue waits for the delivery; `may_wait`: and that is all right.
    struct Rest {
        bool waits = false;
        bool may_wait = false;
        std::string how{}; ///< for a finding
    };
    void judge(const std::function<Rest(DeliveryKey)>& rest);

    bool failed() const { return !finding_.empty(); }
    const std::string& finding() const { return finding_; }
    std::size_t requests() const { return requests_; }

    std::string describe(DeliveryKey key) const;

  private:
    struct Stored {
        std::uint16_t attempt;
        bool success;
        std::optional<base::SystemTime> next_attempt_at;
        base::SteadyTime at;
    };
    struct Delivery {
        std::vector<Stored> stored;
        std::optional<base::SteadyTime> first_recorded; ///< as an attempt, or as a row of the queue
        bool ended = false;                             ///< its row was ended since its webhook is gone
        /// Something of it was under way when its instance lost the partition or died, and was stored
        /// afterwards: the next owner could not know of it, and may have done the same.
        bool late = false;
        std::vector<Request> requests;
    };
    struct Webhook {
        std::optional<base::SteadyTime> known_everywhere;
        std::set<std::uint64_t> not_told;
        std::optional<base::SteadyTime> ended;
        std::map<std::uint64_t, base::SteadyTime> told_removed;       ///< by life
        std::map<std::uint64_t, std::size_t> in_flight;               ///< by life
        std::deque<std::pair<base::SteadyTime, LifePtr>> last_second; ///< begins of requests, and by whom
    };

    bool owed(DeliveryKey key) const;
    void check_not_known(const Request& request, const Delivery& delivery);
    void check_not_repeated(const Request& request, const Delivery& delivery);
    void check_schedule(const Request& request, const Delivery& delivery);
    void check_bounds(const Request& request);
    void check_rate(const Request& request);

    World& world_;
    const Scenario& scenario_;
    std::map<DeliveryKey, Delivery> deliveries_;
    std::vector<Webhook> webhooks_;
    std::vector<int> rejected_; ///< per event: how often it is stored
    std::map<std::uint64_t, std::map<std::uint64_t, base::SteadyTime>> revoked_; ///< per life: assignments
    std::map<std::uint64_t, std::uint64_t> last_assignment_;                     ///< per life
    std::map<std::uint64_t, std::uint64_t>
        lost_up_to_; ///< per life: assignments up to this one are others' by now
    std::map<std::uint64_t, std::size_t> in_flight_;    ///< per life
    std::vector<std::vector<std::size_t>> subscribers_; ///< per event: webhooks that are owed it while active
    std::string finding_;
    std::size_t requests_ = 0;
};

} // namespace docmap::simulation
