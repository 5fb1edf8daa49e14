#include "pipeline/pipeline.hpp"

#include "base/prefetch.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace docmap::pipeline {

namespace {

/// So many attempts before it is settled, an event's memory is asked for.
constexpr std::size_t attempts_ahead = 4;

BatchWriterSettings attempt_writer_settings(const config::Config& config) {
    // The first half of the wait is the shard's.
    return {"attempts", config.delivery.record_batch_rows, config.postgres.writer_connections,
            config.delivery.record_linger / 2};
}

BatchWriterSettings parked_writer_settings(const config::Config& config) {
    return {"parked deliveries", config.delivery.record_batch_rows, 1, config.delivery.record_linger};
}

BatchWriterSettings rejected_writer_settings(const config::Config& config) {
    return {"rejected records", 100, 1, config.delivery.record_linger};
}

PumpSettings pump_settings(const config::Config& config) {
    PumpSettings settings;
    settings.lease = config::lease_of(config);
    settings.attempt_time = config.delivery.timeout + settings.lease / 10;
    settings.max_claimed_events = config.queue.max_claimed_events;
    settings.max_claimed_bytes = config.queue.max_claimed_bytes;
    settings.statement_time = config.postgres.statement_timeout * 2;
    settings.max_events_per_endpoint = config.delivery.max_in_flight_per_endpoint;
    settings.breaker = breaker_settings(config.delivery);
    return settings;
}

} // namespace

core::BreakerSettings breaker_settings(const config::Delivery& delivery) {
    return {static_cast<std::uint32_t>(delivery.breaker_failures), delivery.breaker_pause,
            delivery.breaker_max_pause};
}

ShardSettings shard_settings(const config::Delivery& delivery, std::size_t index, std::size_t shards,
                             std::uint64_t random_seed) {
    ShardSettings settings;
    settings.index = index;
    settings.max_endpoints = std::max<std::size_t>(1, delivery.max_prepared_webhooks / shards);
    settings.gate.max_in_flight = delivery.max_in_flight_per_endpoint;
    settings.gate.max_queued = delivery.max_queued_per_endpoint;
    settings.gate.max_wait = delivery.max_wait;
    settings.gate.breaker = breaker_settings(delivery);
    settings.timeout = delivery.timeout;
    settings.retry_schedule = delivery.retry_schedule;
    settings.random_seed = random_seed;
    settings.hand_over_linger = delivery.record_linger / 2;
    return settings;
}

Pipeline::Pipeline(const config::Config& config, PipelinePorts ports, base::Metrics& metrics)
    : config_(config), control_(ports.control), metrics_(metrics),
      settlement_(config.intake.max_uncommitted_events, metrics),
      attempt_writer_(
          attempt_writer_settings(config), ports.control, ports.attempts,
          [this](const auto& stored) { settle_attempts(stored); },
          [this] { metrics_.record_write_retries.Increment(); }),
      parked_writer_(
          parked_writer_settings(config), ports.control, ports.parked,
          [this](const auto& stored) { settle_parked(stored); },
          [this] { metrics_.record_write_retries.Increment(); }),
      rejected_writer_(
          rejected_writer_settings(config), ports.control, ports.rejected,
          [this](const auto& stored) { settle_rejected(stored); },
          [this] { metrics_.record_write_retries.Increment(); }),
      pump_(
          pump_settings(config), ports.control, ports.queue, metrics,
          [this](ports::QueuedDelivery queued, std::shared_ptr<const core::QueueClaim> claim) {
              fan_out_.add_claimed(std::move(queued.event),
                                   {std::move(queued.webhook_id), std::move(claim), queued.attempt});
          },
          [this] { end_turn(); }),
      fan_out_(config.intake.subscription_cache_users, ports.control, ports.subscriptions, settlement_,
               metrics,
               {[this](core::Delivery delivery) { dispatch(std::move(delivery)); },
                [this](const ClaimedDelivery& gone) { pump_.on_webhook_gone(*gone.claim); },
                [this] { end_turn(); }}),
      intake_(config.kafka.max_event_bytes, ports.control, ports.recorded, settlement_, fan_out_,
              rejected_writer_, metrics, [this] { end_turn(); }),
      store_timer_(ports.control.make_timer([this] { close_source(); })) {}

void Pipeline::start(std::vector<ShardHandle> shards, ports::RecordSource& source) {
    shards_ = std::move(shards);
    outgoing_.resize(shards_.size());
    source_ = &source;
    settlement_.attach(source);
    source.grant(config_.intake.max_events, config_.intake.max_bytes);
    pump_.start();
}

void Pipeline::on_assigned(std::vector<core::AssignmentPtr> assignments) {
    intake_.open(assignments);
}

void Pipeline::on_records(std::vector<core::RecordPtr> records) {
    intake_.take(std::move(records));
    end_turn();
}

void Pipeline::on_revoked(std::vector<core::AssignmentId> assignments) {
    intake_.revoke(assignments);
    for_each_shard([assignments](Shard& shard) { shard.revoke(assignments); }, [] {});
    settlement_.flush();
}

void Pipeline::dispatch(core::Delivery delivery) {
    const std::size_t index = delivery.webhook->id.hash().high % shards_.size();
    outgoing_[index].push_back(std::move(delivery));
}

void Pipeline::end_turn() {
    fan_out_.flush();
    for (std::size_t index = 0; index < shards_.size(); ++index) {
        if (outgoing_[index].empty()) continue;
        shards_[index].scheduler->post(
            [shard = shards_[index].shard, deliveries = std::exchange(outgoing_[index], {})]() mutable {
                shard->submit(std::move(deliveries));
            });
    }
    settlement_.flush();
}

void Pipeline::on_attempts(std::vector<core::AttemptRecord> attempts) {
    control_.post(
        [this, attempts = std::move(attempts)]() mutable { attempt_writer_.add(std::move(attempts)); });
}

void Pipeline::on_dropped(std::vector<core::Delivery> deliveries) {
    control_.post([this, deliveries = std::move(deliveries)] {
        metrics_.deliveries_dropped.Increment(static_cast<double>(deliveries.size()));
        for (const core::Delivery& delivery : deliveries)
            settlement_.settle_one(delivery.event->record());
        settlement_.flush();
    });
}

void Pipeline::on_parked(std::vector<core::ParkedDelivery> deliveries) {
    control_.post([this, deliveries = std::move(deliveries)]() mutable {
        std::vector<core::ParkedDelivery> to_store;
        for (core::ParkedDelivery& parked : deliveries) {
            const core::Record& record = parked.delivery.event->record();
            if (parked.delivery.claim)
                pump_.on_returned(parked);
            else if (settlement_.live(record.assignment()))
                to_store.push_back(std::move(parked));
            else // the next owner of the partition makes it, and may have done so already
                settlement_.settle_one(record);
        }
        settlement_.flush();
        if (!to_store.empty()) parked_writer_.add(std::move(to_store));
    });
}

void Pipeline::settle_parked(const std::vector<core::ParkedDelivery>& stored) {
    metrics_.deliveries_parked.Increment(static_cast<double>(stored.size()));
    std::optional<base::SystemTime> due;
    for (const core::ParkedDelivery& parked : stored) {
        settlement_.settle_one(parked.delivery.event->record());
        const base::SystemTime when = parked.not_before.value_or(parked.parked_at);
        due = due ? std::min(*due, when) : when;
    }
    if (due) pump_.wake_at(*due);
    settlement_.flush();
}

void Pipeline::settle_attempts(const std::vector<core::AttemptRecord>& stored) {
    std::size_t succeeded = 0;
    std::size_t retries = 0;
    std::optional<base::SystemTime> due;
    for (std::size_t index = 0; index < stored.size(); ++index) {
        if (index + attempts_ahead < stored.size()) {
            const core::Delivery& later = stored[index + attempts_ahead].delivery;
            base::prefetch(later.event.get());
            core::fetch_ahead(later.webhook, 0);
        }
        const core::AttemptRecord& attempt = stored[index];
        if (attempt.success) ++succeeded;
        if (attempt.next_attempt_at) {
            ++retries;
            due = due ? std::min(*due, *attempt.next_attempt_at) : attempt.next_attempt_at;
        }
        if (attempt.delivery.claim)
            pump_.on_stored(attempt);
        else
            settlement_.settle_one(attempt.delivery.event->record());
    }
    metrics_.attempts_succeeded.Increment(static_cast<double>(succeeded));
    metrics_.attempts_failed.Increment(static_cast<double>(stored.size() - succeeded));
    if (due) {
        metrics_.retries_scheduled.Increment(static_cast<double>(retries));
        pump_.wake_at(*due);
    }
    settlement_.flush();
}

void Pipeline::settle_rejected(const std::vector<core::RejectedRecord>& stored) {
    for (const core::RejectedRecord& rejected : stored)
        settlement_.settle_one(*rejected.record);
    settlement_.flush();
}

void Pipeline::on_webhook_changed(const std::string& user_id, const std::string& webhook_id, bool removed) {
    change_webhook(user_id, webhook_id, removed, [] {});
}

void Pipeline::change_webhook(const std::string& user_id, const std::string& webhook_id, bool removed,
                              std::function<void()> done) {
    fan_out_.forget(user_id);
    if (!removed) {
        done();
        return;
    }
    pump_.wake(); // what waits for it in the queue is to end
    // What was fanned out before lies ahead of this task in each shard's queue.
    for_each_shard([webhook_id](Shard& shard) { shard.remove_webhook(webhook_id); }, std::move(done));
}

void Pipeline::on_changes_missed() {
    fan_out_.forget_all();
}

void Pipeline::on_queue_changed() {
    pump_.wake();
}

void Pipeline::for_each_shard(const std::function<void(Shard&)>& task, std::function<void()> done) {
    if (shards_.empty()) {
        done();
        return;
    }
    const auto remaining = std::make_shared<std::size_t>(shards_.size());
    for (const ShardHandle& handle : shards_) {
        handle.scheduler->post([this, task, done, remaining, shard = handle.shard] {
            task(*shard);
            control_.post([done, remaining] {
                if (--*remaining == 0) done();
            });
        });
    }
}

void Pipeline::drain(base::SteadyTime attempts_deadline, base::SteadyTime store_deadline,
                     std::function<void()> drained) {
    drained_ = std::move(drained);
    source_->stop_intake();
    pump_.stop();
    store_timer_->set(store_deadline);
    const auto remaining = std::make_shared<std::size_t>(shards_.size());
    for (const ShardHandle& handle : shards_) {
        handle.scheduler->post([this, remaining, attempts_deadline, shard = handle.shard] {
            shard->drain(attempts_deadline, [this, remaining] {
                control_.post([this, remaining] {
                    if (--*remaining == 0) store_rest();
                });
            });
        });
    }
}

void Pipeline::store_rest() {
    // The last attempts are already here: a shard reports them before it reports that it is drained.
    attempt_writer_.finish(
        [this] { parked_writer_.finish([this] { rejected_writer_.finish([this] { leave_queue(); }); }); });
}

void Pipeline::leave_queue() {
    pump_.leave([this] { close_source(); });
}

void Pipeline::close_source() {
    store_timer_->cancel();
    if (drained_) source_->close(std::exchange(drained_, nullptr));
}

} // namespace docmap::pipeline
