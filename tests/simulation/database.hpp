// The simulated PostgreSQL: the tables of schemas/migrations and the statements that the daemon makes of
// them, each atomic. A call takes a while, may fail before or after it took effect, and calls under way
// overtake each other.
#pragma once

#include "base/error.hpp"
#include "core/attempt.hpp"
#include "core/replay_filter.hpp"
#include "ports/delivery_log.hpp"
#include "ports/delivery_queue.hpp"
#include "ports/subscriptions.hpp"
#include "simulation/conditions.hpp"
#include "simulation/kafka_log.hpp"
#include "simulation/oracle.hpp"
#include "simulation/thread.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace docmap::simulation {

class Database {
  public:
    using Instance = std::uint64_t; ///< an instance's name; never used again

    Database(World& world, const Scenario& scenario, Conditions& conditions, KafkaLog& log, Oracle& oracle);

    /// Runs `statement` some time from now on behalf of the life, unless it fails; its mailbox gets the
    /// answer.
    template<typename T>
    void call(const LifePtr& life, const Thread::Mailbox& mailbox, std::function<T()> statement,
              std::function<void(base::Result<T>)> done);

    // Webhooks. `told` hears of every change, as LISTEN does.
    using Told = std::function<void(std::size_t webhook, bool removed)>;
    void on_change(Told told) { told_ = std::move(told); }
    void create_webhook(std::size_t webhook);
    void end_webhook(std::size_t webhook);
    bool active(std::size_t webhook) const { return active_[webhook]; }
    std::optional<std::size_t> find_webhook(const std::string& id) const;
    std::vector<core::WebhookPtr> subscriptions(const std::string& user_id) const;

    // Logs
    void store_attempts(const LifePtr& life, const std::vector<core::AttemptRecord>& batch);
    void store_parked(const LifePtr& life, const std::vector<core::ParkedDelivery>& batch,
                      ports::WriteTry write_try);
    void store_rejected(const std::vector<core::RejectedRecord>& batch);
    std::vector<core::RecordedDelivery> recorded(const std::string& topic, std::int32_t partition,
                                                 std::int64_t first_offset, std::size_t limit) const;

    // The queue
    struct Row {
        DeliveryKey key;
        std::uint16_t attempt = 1;
        base::SystemTime due_at{};
    };
    struct Endpoint {
        base::SystemTime due_at{};
        std::optional<base::SystemTime> not_before;
        std::uint32_t failures = 0;
        std::optional<Instance> owner;
    };
    /// Renews the instance's claims where it is known and alive; else takes the instance in under a new name.
    struct Kept {
        bool kept = false;
        Instance name = 0;
    };
    Kept keep_alive(std::optional<Instance> name);
    struct Claimed {
        std::size_t webhook = 0;
        std::uint32_t failures = 0;
        std::vector<std::int64_t> rows;
    };
    std::vector<Claimed> claim(Instance name, const ports::ClaimLimits& limits,
                               const std::vector<std::int64_t>& held,
                               std::optional<std::chrono::milliseconds>& next_due_in);
    std::vector<Claimed> take(Instance name, const std::vector<ports::TakeRequest>& requests,
                              std::size_t max_bytes, const std::vector<std::int64_t>& held);
    void release(Instance name, const std::vector<ports::EndpointRelease>& releases);
    void release_unknown(Instance name, const std::vector<std::string>& known);
    bool end(Instance name, const std::vector<std::string>& webhook_ids);
    void leave(Instance name);

    const Row& row(std::int64_t id) const { return rows_.at(id); }
    /// Whether the endpoint is the instance's own and will be for `time`. An endpoint without a row is
    /// nobody's.
    bool owns(Instance name, std::size_t webhook, std::chrono::nanoseconds time) const;
    bool owns_anything(Instance name) const;
    bool queue_empty() const { return rows_.empty(); }
    const Row* waiting(DeliveryKey key) const;
    const Endpoint* endpoint(std::size_t webhook) const;
    /// For a finding: what the row and its endpoint wait for.
    std::string describe(const Row& row) const;

  private:
    struct Fate {
        std::chrono::nanoseconds until_effect{};
        std::chrono::nanoseconds until_answer{};
        bool fails = false;
        bool answer_lost = false;
        bool outlives_caller = false;
    };
    Fate draw_fate();

    DeliveryKey key_of(const core::Delivery& delivery) const;
    void insert_row(DeliveryKey key, std::uint16_t attempt, base::SystemTime due_at, bool late);
    void advance_row(std::int64_t id, std::uint16_t attempt, base::SystemTime due_at);
    void delete_row(std::int64_t id);
    void make_due(std::size_t webhook, base::SystemTime due_at, std::optional<base::SystemTime> not_before,
                  std::uint32_t failures);
    void change_claimed(const core::AttemptRecord& attempt);
    void free_dead();
    void give_back(std::size_t webhook, std::uint32_t failures, std::optional<base::SystemTime> not_before);
    std::vector<std::int64_t> due_rows(std::size_t webhook, std::size_t limit, std::size_t& bytes,
                                       const std::vector<std::int64_t>& held) const;

    World& world_;
    const Scenario& scenario_;
    Conditions& conditions_;
    KafkaLog& log_;
    Oracle& oracle_;
    Random random_;
    Told told_;

    std::vector<bool> active_;                             ///< per webhook
    std::map<DeliveryKey, std::uint16_t> highest_attempt_; ///< table deliveries: the highest one per delivery
    std::set<core::DeliveryId> attempt_ids_;               ///< table deliveries
    std::map<std::int64_t, Row> rows_;                     ///< table delivery_queue
    std::map<DeliveryKey, std::int64_t> rows_by_key_;      ///< its unique index
    std::vector<std::set<std::pair<base::SystemTime, std::int64_t>>> rows_by_due_; ///< per webhook
    std::map<std::size_t, Endpoint> endpoints_;                                    ///< table queued_endpoints
    std::map<Instance, base::SteadyTime> alive_until_;                             ///< table instances
    std::set<std::size_t> rejected_;                                               ///< table rejected_events
    std::int64_t last_row_ = 0;
    Instance last_instance_ = 0;
};

template<typename T>
void Database::call(const LifePtr& life, const Thread::Mailbox& mailbox, std::function<T()> statement,
                    std::function<void(base::Result<T>)> done) {
    const Fate fate = draw_fate();
    world_.after(fate.until_effect, [this, life, mailbox, fate, statement = std::move(statement),
                                     done = std::move(done)] {
        if (!life->alive && !fate.outlives_caller) return;
        base::Result<T> result = base::Error{"the database is away"};
        if (!fate.fails && !conditions_.database_away(world_.now())) {
            T answer = statement();
            if (!fate.answer_lost) result = std::move(answer);
        }
        world_.after(fate.until_answer, [mailbox, done, result = std::move(result)]() mutable {
            mailbox.post([done, result = std::move(result)]() mutable { done(std::move(result)); });
        });
    });
}

} // namespace docmap::simulation
