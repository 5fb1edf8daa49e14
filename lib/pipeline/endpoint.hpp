// One webhook as a shard serves it: its newest snapshot, its gate, and the request head prepared for it.
// Lives on the shard's thread; owned by the shard.
#pragma once

#include "async/scheduler.hpp"
#include "core/endpoint_gate.hpp"
#include "core/request_head.hpp"
#include "core/webhook.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace docmap::pipeline {

template<typename Tag>
using EndpointHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using AllHook = EndpointHook<struct AllTag>;
using HeldHook = EndpointHook<struct HeldTag>;

struct Endpoint : AllHook, HeldHook {
    Endpoint(core::WebhookPtr subscribed, core::GateSettings gate_settings)
        : webhook(std::move(subscribed)), gate(with_rate(gate_settings, *webhook)) {}

    /// Uses `newest` from the next attempt on.
    void update(const core::WebhookPtr& newest) {
        if (webhook == newest) return;
        webhook = newest;
        head.reset();
        gate.limit_rate(webhook->max_attempts_per_second);
    }

    /// The head for requests to `webhook`, made when first needed.
    core::RequestHead& request_head() {
        if (!head) head.emplace(*webhook);
        return *head;
    }

    /// Nothing refers to it.
    bool idle() const { return gate.idle() && !ready; }

    core::WebhookPtr webhook;
    bool ready = false; ///< listed among those that can start a delivery
    bool used = true;   ///< since it was last looked at as one to forget
    core::EndpointGate gate;
    std::optional<core::RequestHead> head;
    std::unique_ptr<async::Timer> rate_timer; ///< set while the rate limit alone holds a delivery back

  private:
    static core::GateSettings with_rate(core::GateSettings settings, const core::Webhook& webhook) {
        settings.max_attempts_per_second = webhook.max_attempts_per_second;
        return settings;
    }
};

template<typename Hook>
using Endpoints = boost::intrusive::list<Endpoint, boost::intrusive::base_hook<Hook>,
                                         boost::intrusive::constant_time_size<false>>;

} // namespace docmap::pipeline
