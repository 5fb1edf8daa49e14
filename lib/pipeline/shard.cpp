#include "pipeline/shard.hpp"

#include "core/delivery_id.hpp"
#include "core/verdict.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace docmap::pipeline {

struct Shard::Attempt : ports::Exchange {
    core::Delivery delivery;
    Endpoint* endpoint = nullptr; ///< stays while it has an attempt in flight
    core::DeliveryId id{};
    base::SystemTime started_at{};
    base::SteadyTime started{};
};

Shard::Shard(ShardSettings settings, async::Scheduler& scheduler, async::SharedSlots& slots,
             DeliverySink& sink)
    : settings_(settings), scheduler_(scheduler), slots_(slots), sink_(sink),
      drain_timer_(scheduler.make_timer([this] { transport_->abort_all(); })) {
    slots_.on_free(settings_.index, [this] { scheduler_.post([this] { pump(); }); });
}

Shard::~Shard() = default;

void Shard::submit(std::vector<core::Delivery> deliveries) {
    for (core::Delivery& delivery : deliveries) {
        Endpoint& endpoint = endpoint_for(delivery.webhook);
        endpoint.gate.push(std::move(delivery));
        update_state(endpoint);
    }
    forget_idle_endpoints();
    pump();
}

Endpoint& Shard::endpoint_for(const core::WebhookPtr& webhook) {
    const auto found = endpoints_.find(webhook->id);
    if (found != endpoints_.end()) {
        found->second->update(webhook);
        return *found->second;
    }
    auto created = std::make_unique<Endpoint>(webhook, settings_.max_in_flight_per_endpoint);
    Endpoint& endpoint = *created;
    endpoints_.emplace(endpoint.id, std::move(created));
    return endpoint;
}

void Shard::forget_idle_endpoints() {
    while (endpoints_.size() > settings_.max_endpoints && !idle_.empty()) {
        const auto found = endpoints_.find(idle_.front().id);
        const std::unique_ptr<Endpoint> forgotten = std::move(found->second);
        endpoints_.erase(found);
    }
}

/// Lists the endpoint where it belongs: among the ready ones, the idle ones, or neither.
void Shard::update_state(Endpoint& endpoint) {
    if (endpoint.is_linked()) endpoint.unlink();
    if (endpoint.gate.can_start() && !endpoint.ready) {
        endpoint.ready = true;
        ready_.push_back(&endpoint);
    }
    if (endpoint.gate.idle() && !endpoint.ready) idle_.push_back(endpoint);
}

void Shard::pump() {
    while (!draining_ && !ready_.empty()) {
        Endpoint& endpoint = *ready_.front();
        if (endpoint.gate.can_start() && !slots_.try_acquire(settings_.index)) return;
        ready_.pop_front();
        endpoint.ready = false;
        if (endpoint.gate.can_start()) begin(endpoint);
        update_state(endpoint);
    }
}

void Shard::begin(Endpoint& endpoint) {
    if (free_attempts_.empty())
        free_attempts_.push_back(attempts_.emplace_back(std::make_unique<Attempt>()).get());
    Attempt& attempt = *free_attempts_.back();
    free_attempts_.pop_back();
    attempt.delivery = endpoint.gate.start();
    attempt.delivery.webhook = endpoint.webhook;
    attempt.endpoint = &endpoint;
    attempt.started = scheduler_.now();
    attempt.started_at = scheduler_.wall_now();

    const core::Event& event = *attempt.delivery.event;
    const core::Webhook& webhook = *endpoint.webhook;
    attempt.id = core::make_delivery_id(attempt.started_at, event, webhook.id, attempt.delivery.attempt);
    attempt.head.clear();
    const auto unix_seconds =
        std::chrono::floor<std::chrono::seconds>(attempt.started_at).time_since_epoch().count();
    endpoint.request_head().write(attempt.head, event, attempt.id, unix_seconds,
                                  attempt.started_at < webhook.previous_secret_expires_at);

    attempt.origin = &webhook.parsed_url.origin;
    attempt.body = event.body();
    attempt.deadline = attempt.started + settings_.timeout;
    attempt.result = {};
    ++in_flight_;
    transport_->start(attempt);
}

void Shard::on_exchange_done(ports::Exchange& exchange) {
    auto& attempt = static_cast<Attempt&>(exchange);
    Endpoint& endpoint = *attempt.endpoint;
    if (!attempt.result.aborted) record(attempt);
    attempt.delivery = {};
    free_attempts_.push_back(&attempt);

    endpoint.gate.finish();
    update_state(endpoint);
    --in_flight_;
    slots_.release();
    pump();
    report_if_drained();
}

void Shard::record(Attempt& attempt) {
    const auto duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(scheduler_.now() - attempt.started);
    core::Verdict verdict = core::judge(attempt.result.http_status, attempt.result.error);
    core::AttemptRecord& finished = finished_.emplace_back();
    finished.delivery = std::move(attempt.delivery);
    finished.id = attempt.id;
    finished.started_at = attempt.started_at;
    finished.duration = duration;
    finished.http_status = attempt.result.http_status;
    finished.success = verdict.success;
    finished.error = std::move(verdict.error);
    schedule_flush();
}

void Shard::schedule_flush() {
    if (std::exchange(flush_scheduled_, true)) return;
    scheduler_.post([this] { flush(); });
}

void Shard::flush() {
    flush_scheduled_ = false;
    if (!finished_.empty()) sink_.on_attempts(std::exchange(finished_, {}));
    if (!dropped_.empty()) sink_.on_dropped(std::exchange(dropped_, {}));
}

void Shard::remove_webhook(std::string_view webhook_id) {
    const auto found = endpoints_.find(webhook_id);
    if (found == endpoints_.end()) return;
    Endpoint& endpoint = *found->second;
    auto removed = endpoint.gate.remove_if([](const core::Delivery&) { return true; });
    std::move(removed.begin(), removed.end(), std::back_inserter(dropped_));
    update_state(endpoint);
    schedule_flush();
}

void Shard::revoke(const std::vector<core::AssignmentId>& assignments) {
    const auto is_revoked = [&](const core::Delivery& delivery) {
        const core::AssignmentId owner = delivery.event->record().assignment();
        return std::find(assignments.begin(), assignments.end(), owner) != assignments.end();
    };
    for (auto& [id, endpoint] : endpoints_) {
        if (endpoint->gate.queued() == 0) continue;
        auto removed = endpoint->gate.remove_if(is_revoked);
        std::move(removed.begin(), removed.end(), std::back_inserter(dropped_));
        update_state(*endpoint);
    }
    schedule_flush();
}

void Shard::drain(base::SteadyTime deadline, std::function<void()> drained) {
    draining_ = true;
    drained_ = std::move(drained);
    drain_timer_->set(deadline);
    report_if_drained();
}

void Shard::report_if_drained() {
    if (!drained_ || in_flight_ != 0) return;
    drain_timer_->cancel();
    flush();
    std::exchange(drained_, nullptr)();
}

} // namespace docmap::pipeline
