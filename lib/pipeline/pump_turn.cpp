// What the pump does at the end of a turn: asks for more, ends what waits for deleted webhooks, gives
// endpoints back.
#include "base/log.hpp"
#include "pipeline/pump.hpp"

#include <algorithm>
#include <utility>

namespace docmap::pipeline {

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
            if (endpoints_.contains(request.webhook_id)) wants_more_.push_back(request.webhook_id);
        retry_later("could not read more of the delivery queue; trying again", taken.error());
        return;
    }
    if (stopping_) return;
    for (const ports::TakeRequest& request : asked) {
        const auto found = endpoints_.find(request.webhook_id);
        if (found == endpoints_.end()) continue; // claimed anew and given back meanwhile
        Endpoint& endpoint = *found->second;
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
    queue_.end(ids, [this, ids, epoch = epoch_](const base::Result<bool>& rows_left) mutable {
        if (epoch != epoch_) return;
        std::erase_if(ids, [this](const std::string& id) { return !endpoints_.contains(id); });
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
        Endpoint& endpoint = *endpoints_.at(id);
        if (endpoint.outstanding > 0) { // claimed anew since
            endpoint.busy = false;
            continue;
        }
        claims.emplace_back(id, endpoint.claim);
        ports::EndpointRelease& release = releases.emplace_back();
        release.webhook_id = id;
        release.failures = endpoint.failures;
        release.keeps_pause = endpoint.rate_limited;
        if (endpoint.pause.count() > 0) release.pause = endpoint.pause;
    }
    if (releases.empty()) return;
    ++releases_;
    queue_.release(std::move(releases), [this, claims, epoch = epoch_](const base::Result<void>& released) {
        --releases_;
        if (epoch != epoch_) {
            wake();
            return;
        }
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
