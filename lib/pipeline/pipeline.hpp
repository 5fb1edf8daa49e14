// The path of an event, put together: intake → fan-out → shards → records → settlement, and the pump that
// feeds what waited in the delivery queue back into the fan-out. Lives on the control thread but for the
// DeliverySink calls, which come from the shards' threads. Owned by the wiring, which stops it with drain()
// before any part it refers to goes away.
#pragma once

#include "async/scheduler.hpp"
#include "base/metrics.hpp"
#include "config/config.hpp"
#include "pipeline/batch_writer.hpp"
#include "pipeline/fan_out.hpp"
#include "pipeline/intake.hpp"
#include "pipeline/pump.hpp"
#include "pipeline/settlement.hpp"
#include "pipeline/shard.hpp"
#include "ports/delivery_log.hpp"
#include "ports/delivery_queue.hpp"
#include "ports/record_source.hpp"
#include "ports/subscriptions.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace docmap::pipeline {

/// The breaker's settings as configured, for the shards' gates and the pump.
core::BreakerSettings breaker_settings(const config::Delivery& delivery);

/// The settings of one of `shards` shards, as configured.
ShardSettings shard_settings(const config::Delivery& delivery, std::size_t index, std::size_t shards,
                             std::uint64_t random_seed);

/// What the pipeline works with. Everything must outlive it.
struct PipelinePorts {
    async::Scheduler& control;
    ports::SubscriptionSource& subscriptions;
    ports::AttemptLog& attempts;
    ports::RejectedRecordLog& rejected;
    ports::RecordedDeliveries& recorded;
    ports::ParkedLog& parked;
    ports::DeliveryQueue& queue;
};

class Pipeline final : public ports::RecordSink, public ports::SubscriptionListener, public DeliverySink {
  public:
    Pipeline(const config::Config& config, PipelinePorts ports, base::Metrics& metrics);

    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    /// Gives the pipeline its shards, each with the scheduler of its thread, and its source; grants the
    /// budget.
    struct ShardHandle {
        Shard* shard;
        async::Scheduler* scheduler;
    };
    void start(std::vector<ShardHandle> shards, ports::RecordSource& source);

    /// Takes nothing in, lets attempts end until `attempts_deadline`, stores them, commits, leaves the group;
    /// then `drained` runs on the control thread. What has not begun, and what could not be stored by
    /// `store_deadline`, stays uncommitted and is left to the next owner of its partition.
    void drain(base::SteadyTime attempts_deadline, base::SteadyTime store_deadline,
               std::function<void()> drained);

    /// Like on_webhook_changed(); `done` runs on the control thread once every shard heard of it.
    void change_webhook(const std::string& user_id, const std::string& webhook_id, bool removed,
                        std::function<void()> done);

    /// Deliveries and records not settled yet, for the log.
    std::size_t unsettled() const { return settlement_.unsettled(); }

    /// Deliveries of the queue that are in this process.
    std::size_t claimed() const { return pump_.held(); }

    void on_assigned(std::vector<core::AssignmentPtr> assignments) override;
    void on_records(std::vector<core::RecordPtr> records) override;
    void on_revoked(std::vector<core::AssignmentId> assignments) override;
    void on_webhook_changed(const std::string& user_id, const std::string& webhook_id, bool removed) override;
    void on_changes_missed() override;
    void on_queue_changed() override;
    void on_attempts(std::vector<core::AttemptRecord> attempts) override;
    void on_dropped(std::vector<core::Delivery> deliveries) override;
    void on_parked(std::vector<core::ParkedDelivery> deliveries) override;

  private:
    void dispatch(core::Delivery delivery);
    void end_turn();
    void settle_attempts(const std::vector<core::AttemptRecord>& stored);
    void settle_parked(const std::vector<core::ParkedDelivery>& stored);
    void settle_rejected(const std::vector<core::RejectedRecord>& stored);
    void store_rest();
    void leave_queue();
    void close_source();
    void for_each_shard(const std::function<void(Shard&)>& task, std::function<void()> done);

    const config::Config& config_;
    async::Scheduler& control_;
    base::Metrics& metrics_;
    Settlement settlement_;
    BatchWriter<core::AttemptRecord> attempt_writer_;
    BatchWriter<core::ParkedDelivery> parked_writer_;
    BatchWriter<core::RejectedRecord> rejected_writer_;
    Pump pump_;
    FanOut fan_out_;
    Intake intake_;
    std::vector<ShardHandle> shards_;
    std::vector<std::vector<core::Delivery>> outgoing_; ///< per shard, handed over at the end of the turn
    ports::RecordSource* source_ = nullptr;
    std::unique_ptr<async::Timer> store_timer_; ///< ends the wait for the database during a drain
    std::function<void()> drained_;
};

} // namespace docmap::pipeline
