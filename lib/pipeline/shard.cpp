#include "pipeline/shard.hpp"

#include "base/prefetch.hpp"
#include "core/delivery_id.hpp"
#include "core/retry_policy.hpp"
#include "core/verdict.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace docmap::pipeline {

struct Shard::Attempt : ports::Exchange {
    core::Delivery delivery;
    Endpoint* endpoint = nullptr; ///< stays while it has an attempt in flight
    core::DeliveryId id{};
    base::SystemTime started_at{};
};

namespace {

/// How often a shard looks for deliveries that have waited too long: this often within the longest wait.
constexpr int looks_per_wait = 8;

constexpr std::uint16_t http_gone = 410;

/// Of an endpoint: what a delivery that comes to wait there reads.
constexpr std::size_t endpoint_bytes_to_wait = 64 + sizeof(core::EndpointGate);

/// Of a body: so much is fetched ahead. What follows the processor then expects by itself.
constexpr std::size_t body_bytes_to_fetch = 1024;

/// How many endpoints to look at for one to forget: each delivery brings one at most, and most looks find
/// one.
constexpr std::size_t looks_per_delivery = 4;

/// So many finished attempts are handed over without waiting for more.
constexpr std::size_t full_hand_over = 128;

/// While others wait for a slot, every so many freed ones are theirs.
constexpr std::size_t slots_between_gifts = 8;

/// They sleep, perhaps: waking up takes some tens of microseconds.
constexpr std::chrono::milliseconds time_to_take_a_gift{1};

} // namespace

Shard::Shard(ShardSettings settings, async::Scheduler& scheduler, async::SharedSlots& slots,
             DeliverySink& sink)
    : settings_(std::move(settings)), scheduler_(scheduler), slots_(slots), sink_(sink),
      shed_timer_(scheduler.make_timer([this] { shed_held(); })), random_(settings_.random_seed),
      yield_timer_(scheduler.make_timer([this] { pump(scheduler_.now()); })),
      flush_timer_(scheduler.make_timer([this] { flush(); })),
      drain_timer_(scheduler.make_timer([this] { transport_->abort_all(); })) {
    slots_.on_free(settings_.index, [this] { scheduler_.post([this] { pump(scheduler_.now()); }); });
}

Shard::~Shard() = default;

void Shard::submit(std::vector<core::Delivery> deliveries) {
    const base::SteadyTime now = scheduler_.now();
    const std::span all(deliveries);
    for (std::size_t start = 0; start < all.size(); start += deliveries_at_a_time)
        enqueue(all.subspan(start, std::min(deliveries_at_a_time, all.size() - start)), now);
    forget_idle_endpoints(looks_per_delivery * deliveries.size());
    pump(now);
}

/// First all their endpoints are found, then used: so the processor waits for the memory of many at once.
void Shard::enqueue(std::span<core::Delivery> deliveries, base::SteadyTime now) {
    std::array<Endpoint*, deliveries_at_a_time> endpoints;
    for (const core::Delivery& delivery : deliveries)
        core::fetch_ahead(delivery.webhook, core::fan_out_bytes);
    for (const core::Delivery& delivery : deliveries)
        endpoints_.fetch_ahead(delivery.webhook->id.hash());
    for (std::size_t index = 0; index < deliveries.size(); ++index) {
        endpoints[index] = endpoints_.find(deliveries[index].webhook->id.hash());
        base::prefetch(endpoints[index], endpoint_bytes_to_wait);
    }
    for (std::size_t index = 0; index < deliveries.size(); ++index) {
        core::Delivery& delivery = deliveries[index];
        Endpoint& endpoint = endpoints[index] ? *endpoints[index] : endpoint_for(delivery.webhook);
        endpoint.used = true;
        // What has begun there is still to be signed, with the keys of the snapshot that it began with.
        if (endpoint.webhook != delivery.webhook) send_begun();
        endpoint.update(delivery.webhook);
        if (delivery.claim || endpoint.gate.admits(now) || !is_member(now))
            endpoint.gate.push(std::move(delivery), now);
        else
            park(std::move(delivery), endpoint);
        update_state(endpoint, now);
    }
}

Endpoint& Shard::endpoint_for(const core::WebhookPtr& webhook) {
    if (Endpoint* const known = endpoints_.find(webhook->id.hash())) return *known;
    Endpoint& endpoint =
        endpoints_.insert(webhook->id.hash(), std::make_unique<Endpoint>(webhook, settings_.gate));
    all_.push_back(endpoint);
    return endpoint;
}

/// While there are too many: forgets those that have nothing to do and were not used since the last look.
void Shard::forget_idle_endpoints(std::size_t max_looks) {
    const base::SteadyTime now = scheduler_.now();
    for (std::size_t looks = 0; looks < max_looks && endpoints_.size() > settings_.max_endpoints; ++looks) {
        Endpoint& next = all_.front();
        all_.splice(all_.end(), all_, all_.begin());
        if (std::exchange(next.used, false) || !next.idle() || !next.gate.keeps_rate_if_new(now)) continue;
        endpoints_.erase(next.webhook->id.hash());
    }
}

/// Lists an endpoint with deliveries where it belongs: among the ready or the held ones.
void Shard::update_state(Endpoint& endpoint, base::SteadyTime now) {
    if (endpoint.gate.queued() == 0 || endpoint.ready) return;
    if (endpoint.gate.can_start(now)) {
        endpoint.ready = true;
        ready_.push_back(&endpoint);
        return;
    }
    hold(endpoint, now);
    wait_for_rate(endpoint, now);
}

/// It is looked at again soon.
void Shard::hold(Endpoint& endpoint, base::SteadyTime now) {
    if (!endpoint.HeldHook::is_linked()) held_.push_back(endpoint);
    if (!shed_timer_->pending()) shed_timer_->set(now + settings_.gate.max_wait / looks_per_wait);
}

void Shard::wait_for_rate(Endpoint& endpoint, base::SteadyTime now) {
    const auto next = endpoint.gate.next_start(now);
    if (!next) return;
    if (!endpoint.rate_timer)
        endpoint.rate_timer = scheduler_.make_timer([this, &endpoint] {
            const base::SteadyTime woken = scheduler_.now();
            update_state(endpoint, woken);
            pump(woken);
        });
    endpoint.rate_timer->set(*next);
}

/// Begins what can begin. It is sent at the end of the turn, so that signatures are computed together, or as
/// soon as more of them make that no faster.
void Shard::pump(base::SteadyTime now) {
    while (begin_next(now)) {
        if (!signatures_.is_full()) continue;
        send_begun();
        now = scheduler_.now();
    }
    if (!begun_.empty()) schedule_send();
    give_slots_back();
}

/// Serves the next of the ready endpoints. Returns false where there is none, or no slot.
bool Shard::begin_next(base::SteadyTime now) {
    if (draining_ || ready_.empty()) return false;
    Endpoint& endpoint = *ready_.front();
    const bool can_start = endpoint.gate.can_start(now);
    if (can_start && !endpoint.gate.next().claim && !is_member(now)) {
        ready_.pop_front();
        endpoint.ready = false;
        hold(endpoint, now);
        return true;
    }
    if (can_start && !take_slot()) return false;
    ready_.pop_front();
    endpoint.ready = false;
    fetch_ahead();
    if (can_start) begin(endpoint, now);
    update_state(endpoint, now);
    return true;
}

/// While an attempt is prepared, what the next ones need comes closer, a step for each: the endpoint, then
/// what it points to, then the event, then the event's record, then the body.
void Shard::fetch_ahead() const {
    const auto event_of = [this](std::size_t place) -> const core::Event* {
        if (ready_.size() <= place || ready_[place]->gate.queued() == 0) return nullptr;
        return ready_[place]->gate.next().event.get();
    };
    if (ready_.size() > 4) base::prefetch(ready_[4]);
    if (ready_.size() > 3) {
        const Endpoint& fourth = *ready_[3];
        if (fourth.gate.queued() > 0) base::prefetch(&fourth.gate.next());
        if (fourth.head) fourth.head->fetch_ahead();
        core::fetch_ahead(fourth.webhook, core::attempt_bytes);
    }
    if (const core::Event* const third = event_of(2)) base::prefetch(third);
    if (const core::Event* const second = event_of(1)) base::prefetch(&second->record());
    if (const core::Event* const first = event_of(0))
        base::prefetch(first->body().data(), std::min(first->body().size(), body_bytes_to_fetch));
}

bool Shard::take_slot() {
    if (spare_slots_ == 0) return !yield_timer_->pending() && slots_.try_acquire(settings_.index);
    --spare_slots_;
    return true;
}

/// Lets others have the spare slots, and for a while takes no more than are freed here.
void Shard::yield_slots() {
    give_slots_back();
    if (!yield_timer_->pending()) yield_timer_->set(scheduler_.now() + time_to_take_a_gift);
}

void Shard::give_slots_back() {
    for (; spare_slots_ > 0; --spare_slots_)
        slots_.release();
}

void Shard::begin(Endpoint& endpoint, base::SteadyTime now) {
    core::Delivery delivery = endpoint.gate.start(now);
    if (delivery.claim && !delivery.claim->lease->permits(now)) {
        endpoint.gate.finish(core::EndpointAnswer::unknown, now, now);
        ++spare_slots_;
        park(std::move(delivery), endpoint);
        return;
    }
    if (free_attempts_.empty())
        free_attempts_.push_back(attempts_.emplace_back(std::make_unique<Attempt>()).get());
    Attempt& attempt = *free_attempts_.back();
    free_attempts_.pop_back();
    attempt.delivery = std::move(delivery);
    if (attempt.delivery.webhook != endpoint.webhook) attempt.delivery.webhook = endpoint.webhook;
    attempt.endpoint = &endpoint;
    attempt.start_time = now;
    if (begun_.empty()) begun_at_ = scheduler_.wall_now();
    attempt.started_at = begun_at_;

    const core::Event& event = *attempt.delivery.event;
    const core::Webhook& webhook = *endpoint.webhook;
    attempt.id = core::make_delivery_id(attempt.started_at, event, webhook.id, attempt.delivery.attempt);
    const auto unix_seconds = std::chrono::floor<std::chrono::seconds>(begun_at_).time_since_epoch().count();
    endpoint.request_head().write(attempt.head, event, attempt.id, unix_seconds,
                                  begun_at_ < webhook.previous_secret_expires_at, signatures_);

    attempt.origin = &webhook.parsed_url.origin;
    attempt.body = event.body();
    attempt.deadline = now + settings_.timeout;
    attempt.result = {};
    ++in_flight_;
    begun_.push_back(&attempt);
}

void Shard::schedule_send() {
    if (std::exchange(send_scheduled_, true)) return;
    scheduler_.post([this] {
        send_scheduled_ = false;
        send_begun();
    });
}

void Shard::send_begun() {
    if (begun_.empty()) return;
    signatures_.sign();
    for (Attempt* const attempt : begun_)
        transport_->start(*attempt);
    begun_.clear();
}

void Shard::on_exchange_done(ports::Exchange& exchange) {
    auto& attempt = static_cast<Attempt&>(exchange);
    Endpoint& endpoint = *attempt.endpoint;
    base::prefetch(&endpoint.gate);
    const base::SteadyTime now = attempt.end_time;
    const core::EndpointAnswer answer =
        attempt.result.aborted ? core::EndpointAnswer::unknown : record(attempt, now);
    attempt.delivery = {};
    free_attempts_.push_back(&attempt);

    endpoint.gate.finish(answer, attempt.start_time, now);
    if (endpoint.gate.open_until() && endpoint.gate.queued() > 0) shed(endpoint, now);
    update_state(endpoint, now);
    --in_flight_;
    ++spare_slots_;
    // Using it again costs nobody a wake-up. Others must not starve for that.
    if (++freed_slots_ % slots_between_gifts == 0 && slots_.others_wait(settings_.index)) yield_slots();
    pump(now);
    report_if_drained();
}

/// What the attempt says about its endpoint.
core::EndpointAnswer Shard::record(Attempt& attempt, base::SteadyTime now) {
    const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(now - attempt.start_time);
    const ports::ExchangeResult& result = attempt.result;
    core::Verdict verdict = core::judge(result.http_status, result.error, result.blocked);
    core::AttemptRecord& finished = finished_.emplace_back();
    finished.delivery = std::move(attempt.delivery);
    finished.id = attempt.id;
    finished.started_at = attempt.started_at;
    finished.duration = duration;
    finished.http_status = result.http_status;
    finished.success = verdict.success;
    finished.error = std::move(verdict.error);
    if (!verdict.success) {
        finished.endpoint_failed = verdict.answer == core::EndpointAnswer::failing ||
                                   verdict.answer == core::EndpointAnswer::overloaded;
        finished.deactivates = result.http_status == http_gone;
        const core::FailedAttempt failed{finished.delivery.attempt, result.http_status, result.blocked,
                                         result.retry_after, attempt.started_at + duration};
        const double random = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
        finished.next_attempt_at = core::next_attempt_at(failed, settings_.retry_schedule, random);
    }
    schedule_flush();
    return verdict.answer;
}

bool Shard::is_member(base::SteadyTime now) const {
    return settings_.membership == nullptr || settings_.membership->permits(now);
}

void Shard::schedule_flush() {
    if (flush_scheduled_) return;
    if (settings_.hand_over_linger.count() > 0 && finished_.size() < full_hand_over) {
        if (!flush_timer_->pending()) flush_timer_->set(scheduler_.now() + settings_.hand_over_linger);
        return;
    }
    flush_scheduled_ = true;
    scheduler_.post([this] { flush(); });
}

void Shard::flush() {
    flush_scheduled_ = false;
    flush_timer_->cancel();
    if (const std::size_t count = finished_.size(); count > 0) {
        sink_.on_attempts(std::exchange(finished_, {}));
        finished_.reserve(count); // about as many are to be expected again
    }
    if (!dropped_.empty()) sink_.on_dropped(std::exchange(dropped_, {}));
    if (!parked_.empty()) sink_.on_parked(std::exchange(parked_, {}));
}

void Shard::drain(base::SteadyTime deadline, std::function<void()> drained) {
    draining_ = true;
    send_begun(); // so that it can be cut off with the rest
    drained_ = std::move(drained);
    shed_timer_->cancel();
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
