#include "pipeline/pump.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace docmap::pipeline {

namespace {

std::chrono::milliseconds pause_between_attempts(std::uint32_t per_second) {
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(std::chrono::seconds(1)) /
                                                        per_second);
}

} // namespace

Pump::Pump(PumpSettings settings, async::Scheduler& scheduler, ports::DeliveryQueue& queue,
           base::Metrics& metrics, Deliver deliver, TurnEnded turn_ended)
    : settings_(settings), scheduler_(scheduler), queue_(queue), metrics_(metrics),
      deliver_(std::move(deliver)), turn_ended_(std::move(turn_ended)),
      alive_timer_(scheduler.make_timer([this] { keep_alive(); })),
      wake_timer_(scheduler.make_timer([this] { look(); })),
      retry_timer_(scheduler.make_timer([this] { schedule_turn(); })) {}

void Pump::start() {
    keep_alive();
}

void Pump::stop() {
    stopping_ = true;
    wake_timer_->cancel();
    retry_timer_->cancel();
}

void Pump::leave(std::function<void()> done) {
    alive_timer_->cancel();
    lease_->end();
    queue_.leave([done = std::move(done)](const base::Result<void>& left) {
        if (!left)
            base::log::warning(
                "could not give the claims of the delivery queue back; they end with their lease",
                {{"reason", left.error().message}});
        done();
    });
}

void Pump::keep_alive() {
    const base::SteadyTime asked_at = scheduler_.now();
    queue_.keep_alive([this, asked_at](base::Result<bool> kept) { on_alive(asked_at, std::move(kept)); });
}

void Pump::on_alive(base::SteadyTime asked_at, base::Result<bool> kept) {
    if (stopping_) return;
    const auto interval = settings_.lease / 3;
    if (!kept) {
        base::log::warning("could not renew the claims of the delivery queue; trying again",
                           {{"reason", kept.error().message}});
        alive_timer_->set(scheduler_.now() + std::min<std::chrono::milliseconds>(interval, return_pause));
        return;
    }
    if (!*kept) lose_claims();
    lease_->extend(asked_at + settings_.lease - settings_.attempt_time);
    alive_ = true;
    alive_timer_->set(asked_at + interval);
    // Besides what it knows of: what dead instances left, and what others stored and did not live to claim.
    wake();
}

/// Others may have claimed what was this instance's. What is under way ends; what it comes to is stored only
/// where nobody was faster.
void Pump::lose_claims() {
    base::log::warning("this instance was silent for too long: its claims of the delivery queue are void",
                       {{"endpoints", endpoints_.size()}, {"deliveries", held_.size()}});
    ++epoch_;
    lease_->end();
    lease_ = std::make_shared<core::Lease>();
    for (auto& [row, held] : held_)
        held.endpoint = nullptr;
    endpoints_.clear();
    wants_more_.clear();
    idle_.clear();
    gone_.clear();
}

void Pump::wake() {
    wake_when(scheduler_.now());
}

void Pump::wake_at(base::SystemTime due) {
    wake_when(scheduler_.now() + (due - scheduler_.wall_now()));
}

void Pump::wake_when(base::SteadyTime when) {
    if (stopping_ || !alive_) return;
    when = std::max({when, scheduler_.now(), earliest_claim_});
    if (wake_timer_->pending() && wake_time_ <= when) return;
    wake_time_ = when;
    wake_timer_->set(when);
}

/// How many more deliveries may be asked for.
std::size_t Pump::room() const {
    return settings_.max_claimed_events - std::min(held_.size() + asked_, settings_.max_claimed_events);
}

/// Of that, how many for endpoints that are claimed already. While others wait to be claimed some places are
/// kept for them: an endpoint that never runs dry must not keep them out.
std::size_t Pump::room_to_take() const {
    return look_again_ ? room() - std::min(room(), first_batch) : room();
}

/// What was asked for has come or will not come: there may be room for others.
void Pump::on_answered(std::size_t asked) {
    asked_ -= asked;
    if (!wants_more_.empty()) schedule_turn();
}

std::size_t Pump::free_bytes() const {
    return settings_.max_claimed_bytes - std::min(held_bytes_, settings_.max_claimed_bytes);
}

std::vector<std::int64_t> Pump::held_rows() const {
    std::vector<std::int64_t> rows;
    rows.reserve(held_.size());
    for (const auto& [row, held] : held_)
        rows.push_back(row);
    return rows;
}

void Pump::look() {
    if (stopping_) return;
    if (claiming_) {
        look_again_ = true;
        return;
    }
    if (claim_in_doubt_ || scheduler_.now() < doubt_until_) {
        if (releases_ > 0) return; // their answers wake it
        release_unknown();
        return;
    }
    claim();
}

void Pump::claim() {
    const std::size_t room = this->room();
    if (room == 0 || free_bytes() == 0) {
        look_again_ = true; // once deliveries have ended
        return;
    }
    claiming_ = true;
    look_again_ = false;
    if (!wants_more_.empty()) schedule_turn();
    earliest_claim_ = scheduler_.now() + least_time_between_claims;
    ports::ClaimLimits limits;
    limits.deliveries_per_endpoint = std::min({first_batch, settings_.max_events_per_endpoint, room});
    limits.endpoints =
        std::clamp<std::size_t>(room / limits.deliveries_per_endpoint, 1, max_endpoints_per_claim);
    limits.bytes = free_bytes();
    const std::size_t asked = limits.endpoints * limits.deliveries_per_endpoint;
    asked_ += asked;
    queue_.claim(limits, held_rows(),
                 [this, epoch = epoch_, asked, limits](base::Result<ports::Claim> claim) {
                     claiming_ = false;
                     on_answered(asked);
                     if (stopping_) return; // leave() gives it back
                     if (epoch != epoch_) {
                         wake(); // what it claimed under its former name is free again
                         return;
                     }
                     if (!claim) doubt();
                     on_claimed(limits, std::move(claim));
                 });
}

void Pump::doubt() {
    claim_in_doubt_ = true;
    doubt_until_ = scheduler_.now() + settings_.statement_time;
}

/// A claim that failed may have taken effect all the same, or may still do so. Nobody would deliver what it
/// claimed.
void Pump::release_unknown() {
    claiming_ = true;
    claim_in_doubt_ = false; // an answer that is lost meanwhile raises the doubt anew
    std::vector<std::string> known;
    for (const auto& [id, endpoint] : endpoints_)
        known.push_back(id);
    queue_.release_unknown(std::move(known), [this](const base::Result<void>& released) {
        claiming_ = false;
        if (released) {
            if (!stopping_) claim();
        } else {
            doubt();
            retry_claim("could not give back what may be claimed of the delivery queue; trying again",
                        released.error());
        }
    });
}

/// Claimed anew: either it has just been given back and that answer is still under way, or it was taken for a
/// dead instance's. What is under way for it ends without it.
void Pump::forget(const std::string& webhook_id) {
    const auto found = endpoints_.find(webhook_id);
    if (found == endpoints_.end()) return;
    for (auto& [row, held] : held_)
        if (held.endpoint == found->second.get()) held.endpoint = nullptr;
    std::erase(wants_more_, webhook_id);
    std::erase(idle_, webhook_id);
    std::erase(gone_, webhook_id);
    endpoints_.erase(found);
}

void Pump::on_claimed(const ports::ClaimLimits& limits, base::Result<ports::Claim> claim) {
    if (!claim) {
        retry_claim("could not read the delivery queue; trying again", claim.error());
        return;
    }
    retry_delay_ = first_retry_delay;
    for (ports::ClaimedEndpoint& claimed : claim->endpoints) {
        forget(claimed.webhook_id);
        auto& endpoint = endpoints_[claimed.webhook_id];
        endpoint = std::make_unique<Endpoint>();
        endpoint->id = claimed.webhook_id;
        endpoint->claim = ++claims_;
        endpoint->failures = claimed.failures;
        endpoint->batch = std::min(first_batch, settings_.max_events_per_endpoint);
        const std::size_t asked = claimed.failures > 0 ? 1 : limits.deliveries_per_endpoint;
        endpoint->exhausted = claimed.deliveries.size() < asked;
        hand_out(*endpoint, std::move(claimed.deliveries));
        if (endpoint->outstanding == 0) {
            // Nothing is due, so there is another reason to look at it: its webhook may be gone.
            endpoint->gone = true;
            endpoint->pause = return_pause;
        }
        consider(*endpoint);
    }
    if (claim->endpoints.size() >= limits.endpoints || look_again_)
        wake();
    else if (claim->next_due_in)
        wake_when(scheduler_.now() + *claim->next_due_in);
    turn_ended_();
}

void Pump::retry_claim(const char* what, const base::Error& error) {
    base::log::warning(what, {{"retry_in_ms", retry_delay_.count()}, {"reason", error.message}});
    earliest_claim_ = scheduler_.now() + retry_delay_;
    retry_delay_ = std::min(retry_delay_ * 2, last_retry_delay);
    wake();
}

void Pump::hand_out(Endpoint& endpoint, std::vector<ports::QueuedDelivery> deliveries) {
    for (ports::QueuedDelivery& delivery : deliveries) {
        const std::size_t bytes = delivery.event->record().budget_bytes();
        if (!held_.try_emplace(delivery.row_id, Held{&endpoint, bytes}).second) continue;
        held_bytes_ += bytes;
        ++endpoint.outstanding;
        metrics_.deliveries_claimed.Increment();
        auto claim = std::make_shared<core::QueueClaim>();
        claim->row_id = delivery.row_id;
        claim->lease = lease_;
        deliver_(std::move(delivery), std::move(claim));
    }
}

/// Forgets the delivery; returns its endpoint, or null where the claim was lost meanwhile.
Pump::Endpoint* Pump::end_delivery(const core::QueueClaim& claim) {
    const auto found = held_.find(claim.row_id);
    if (found == held_.end()) return nullptr;
    Endpoint* const endpoint = found->second.endpoint;
    held_bytes_ -= found->second.bytes;
    held_.erase(found);
    if (endpoint != nullptr) --endpoint->outstanding;
    if (look_again_) wake();
    if (!wants_more_.empty()) schedule_turn(); // there is room again
    return endpoint;
}

void Pump::on_stored(const core::AttemptRecord& attempt) {
    Endpoint* const endpoint = end_delivery(*attempt.delivery.claim);
    if (endpoint == nullptr) return;
    const auto rate = attempt.delivery.webhook->max_attempts_per_second;
    // Whoever claims it next starts with an attempt of its own.
    if (rate) {
        endpoint->rate_limited = true;
        endpoint->pause = std::max(endpoint->pause, pause_between_attempts(*rate));
    }
    if (attempt.endpoint_failed) {
        ++endpoint->failures;
    } else {
        endpoint->failures = 0;
        std::size_t most = settings_.max_events_per_endpoint;
        // More than a second's worth would wait in memory for nothing.
        if (rate) most = std::min<std::size_t>(most, std::max<std::size_t>(2, *rate));
        endpoint->batch = std::min(endpoint->batch * 2, most);
    }
    consider(*endpoint);
}

void Pump::on_returned(const core::ParkedDelivery& returned) {
    Endpoint* const endpoint = end_delivery(*returned.delivery.claim);
    if (endpoint == nullptr) return;
    endpoint->exhausted = true;
    endpoint->pause = std::max(endpoint->pause, return_pause);
    if (returned.not_before) {
        // The breaker is open: the next claim is a probe.
        endpoint->pause = std::max(endpoint->pause, *returned.not_before - scheduler_.wall_now());
        endpoint->failures = std::max(endpoint->failures, settings_.breaker.failures);
    }
    consider(*endpoint);
}

void Pump::on_webhook_gone(const core::QueueClaim& claim) {
    Endpoint* const endpoint = end_delivery(claim);
    if (endpoint == nullptr) return;
    endpoint->gone = true;
    // Where it is not: it may be active, but stored in a way that cannot be used.
    endpoint->pause = unusable_pause;
    consider(*endpoint);
}

} // namespace docmap::pipeline
