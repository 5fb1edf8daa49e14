// What a shard does with deliveries that wait and are not to wait any longer: they are parked or dropped.
#include "pipeline/shard.hpp"

#include <algorithm>
#include <utility>

namespace docmap::pipeline {

namespace {

/// How often a shard looks whether it may go on with what was read from Kafka.
constexpr std::chrono::milliseconds membership_look{50};

} // namespace

void Shard::park(core::Delivery delivery, const Endpoint& endpoint) {
    core::ParkedDelivery& parked = parked_.emplace_back();
    parked.delivery = std::move(delivery);
    parked.parked_at = scheduler_.wall_now();
    if (const auto open_until = endpoint.gate.open_until()) {
        const auto pause = std::chrono::ceil<std::chrono::milliseconds>(*open_until - scheduler_.now());
        if (pause.count() > 0) parked.not_before = parked.parked_at + pause;
    }
    schedule_flush();
}

/// Lets go of what must not wait in memory any longer. What may be another instance's by now is not parked:
/// that would bring back what the other has delivered.
void Shard::shed(Endpoint& endpoint, base::SteadyTime now) {
    if (!is_member(now)) return;
    // Where the endpoint could take one more it is this process that cannot keep up, with a backlog for one.
    // A row per delivery would make that worse; holding the partitions back does not.
    if (endpoint.gate.can_start(now) && !endpoint.gate.open_until()) return;
    for (core::Delivery& delivery : endpoint.gate.take_overflow(now))
        park(std::move(delivery), endpoint);
}

void Shard::shed_held() {
    if (draining_) return;
    const base::SteadyTime now = scheduler_.now();
    if (!is_member(now)) shed_timer_->set(now + membership_look);
    Endpoints<HeldHook> looked_at;
    looked_at.swap(held_);
    while (!looked_at.empty()) {
        Endpoint& endpoint = looked_at.front();
        looked_at.pop_front();
        if (endpoint.gate.queued() > 0) shed(endpoint, now);
        update_state(endpoint, now); // which holds it again, where it has to
    }
    pump(now);
}

void Shard::remove_webhook(std::string_view webhook_id) {
    Endpoint* const endpoint = endpoints_.find(core::WebhookId::hash_of(webhook_id));
    if (endpoint != nullptr) remove_waiting(*endpoint, [](const core::Delivery&) { return true; });
}

void Shard::revoke(const std::vector<core::AssignmentId>& assignments) {
    const auto is_revoked = [&](const core::Delivery& delivery) {
        const core::AssignmentId owner = delivery.event->record().assignment();
        return std::find(assignments.begin(), assignments.end(), owner) != assignments.end();
    };
    for (Endpoint& endpoint : all_)
        remove_waiting(endpoint, is_revoked);
}

void Shard::remove_waiting(Endpoint& endpoint, const std::function<bool(const core::Delivery&)>& predicate) {
    for (core::Delivery& delivery : endpoint.gate.remove_if(predicate)) {
        if (delivery.claim)
            park(std::move(delivery), endpoint);
        else
            dropped_.push_back(std::move(delivery));
        schedule_flush();
    }
    update_state(endpoint, scheduler_.now());
}

} // namespace docmap::pipeline
