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
    lease_ = std::make_shared<core::QueueLease>();
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
    if (claim_in_doubt_ || scheduler_.now() < doubt_until_)
        release_unknown();
    else
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

void Pump::on_claimed(const ports::ClaimLimits& limits, base::Result<ports::Claim> claim) {
    if (!claim) {
        retry_claim("could not read the delivery queue; trying again", claim.error());
        return;
    }
    retry_delay_ = first_retry_delay;
    for (ports::ClaimedEndpoint& claimed : claim->endpoints) {
        // One that is there already has just been given back; that answer is still under way.
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

/// How many of its deliveries may be handed out at once. One that fails gets one at a time.
std::size_t Pump::batch_of(const Endpoint& endpoint) const {
    return endpoint.failures > 0 ? 1 : endpoint.batch;
}

/// Decides what comes next for an endpoint; it happens at the end of the turn, for all together.
void Pump::consider(Endpoint& endpoint) {
    if (endpoint.busy || stopping_) return;
    const auto pause = core::pause_after(endpoint.failures, settings_.breaker);
    if (pause) endpoint.pause = std::max(endpoint.pause, *pause);
    if (endpoint.gone || pause) endpoint.exhausted = true;
    if (!endpoint.exhausted && endpoint.outstanding <= batch_of(endpoint) / 2)
        wants_more_.push_back(endpoint.id);
    else if (endpoint.exhausted && endpoint.outstanding == 0)
        (endpoint.gone ? gone_ : idle_).push_back(endpoint.id);
    else
        return;
    endpoint.busy = true;
    schedule_turn();
}

void Pump::schedule_turn() {
    if (std::exchange(turn_scheduled_, true)) return;
    scheduler_.post([this] { turn(); });
}

void Pump::turn() {
    turn_scheduled_ = false;
    if (stopping_) return; // leave() gives all back at once
    take_more();
    end_gone();
    release_idle();
}

void Pump::take_more() {
    std::vector<ports::TakeRequest> requests;
    std::size_t asked = 0;
    while (!wants_more_.empty() && room_to_take() > 0) {
        const Endpoint& endpoint = *endpoints_.at(wants_more_.front());
        const std::size_t wanted =
            batch_of(endpoint) - std::min(endpoint.outstanding, batch_of(endpoint) - 1);
        requests.push_back({endpoint.id, std::min(wanted, room_to_take())});
        asked += requests.back().max_deliveries;
        asked_ += requests.back().max_deliveries;
        wants_more_.pop_front();
    }
    if (requests.empty()) return;
    queue_.take(requests, free_bytes(), held_rows(), [this, requests, asked, epoch = epoch_](auto taken) {
        on_answered(asked);
        if (look_again_) wake();
        if (epoch == epoch_) on_taken(requests, std::move(taken));
    });
}

void Pump::on_taken(const std::vector<ports::TakeRequest>& asked,
                    base::Result<std::vector<ports::ClaimedEndpoint>> taken) {
    if (!taken) {
        for (const ports::TakeRequest& request : asked)
            wants_more_.push_back(request.webhook_id);
        retry_later("could not read more of the delivery queue; trying again", taken.error());
        return;
    }
    if (stopping_) return;
    for (const ports::TakeRequest& request : asked) {
        Endpoint& endpoint = *endpoints_.at(request.webhook_id);
        const auto more = std::find_if(taken->begin(), taken->end(), [&](const auto& answer) {
            return answer.webhook_id == request.webhook_id;
        });
        endpoint.busy = false;
        endpoint.exhausted = more == taken->end() || more->deliveries.size() < request.max_deliveries;
        if (more != taken->end()) hand_out(endpoint, std::move(more->deliveries));
        consider(endpoint);
    }
    turn_ended_();
}

void Pump::end_gone() {
    if (gone_.empty()) return;
    std::vector<std::string> ids = std::exchange(gone_, {});
    queue_.end(ids, [this, ids, epoch = epoch_](const base::Result<bool>& rows_left) {
        if (epoch != epoch_) return;
        if (!rows_left) {
            again(gone_, ids);
            retry_later("could not end what waits for deleted webhooks; trying again", rows_left.error());
            return;
        }
        again(*rows_left ? gone_ : idle_, ids);
        schedule_turn();
    });
}

void Pump::release_idle() {
    if (idle_.empty()) return;
    std::vector<std::pair<std::string, std::uint64_t>> claims;
    std::vector<ports::EndpointRelease> releases;
    for (const std::string& id : std::exchange(idle_, {})) {
        const Endpoint& endpoint = *endpoints_.at(id);
        claims.emplace_back(id, endpoint.claim);
        ports::EndpointRelease& release = releases.emplace_back();
        release.webhook_id = id;
        release.failures = endpoint.failures;
        release.keeps_pause = endpoint.rate_limited;
        if (endpoint.pause.count() > 0) release.pause = endpoint.pause;
    }
    queue_.release(std::move(releases), [this, claims, epoch = epoch_](const base::Result<void>& released) {
        if (epoch != epoch_) return;
        for (const auto& [id, claim] : claims) {
            const auto found = endpoints_.find(id);
            if (found != endpoints_.end() && found->second->claim == claim) endpoints_.erase(found);
        }
        if (!released) {
            // They may be given back or not, and by now even another's: what is still this instance's own is
            // found out before the next claim.
            base::log::warning("could not give endpoints of the delivery queue back; trying again",
                               {{"endpoints", claims.size()}, {"reason", released.error().message}});
            doubt();
        }
        wake(); // something of theirs may be due again
    });
}

void Pump::again(std::vector<std::string>& list, const std::vector<std::string>& ids) {
    list.insert(list.end(), ids.begin(), ids.end());
}

void Pump::retry_later(const char* what, const base::Error& error) {
    base::log::warning(what, {{"retry_in_ms", return_pause.count()}, {"reason", error.message}});
    if (!stopping_ && !retry_timer_->pending()) retry_timer_->set(scheduler_.now() + return_pause);
}

} // namespace docmap::pipeline
