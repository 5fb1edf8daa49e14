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
#include <string>
#include <utility>

namespace docmap::pipeline {

template<typename Tag>
using EndpointHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using IdleHook = EndpointHook<struct IdleTag>;
using WaitingHook = EndpointHook<struct WaitingTag>;

struct Endpoint : IdleHook, WaitingHook {
    Endpoint(core::WebhookPtr subscribed, core::GateSettings gate_settings)
        : id(subscribed->id), webhook(std::move(subscribed)), gate(with_rate(gate_settings, *webhook)) {}

    /// Uses `newest` from the next attempt on.
    void update(const core::WebhookPtr& newest) {
        if (webhook == newest) return;
        webhook = newest;
        head.reset();
        gate.limit_rate(webhook->max_attempts_per_second);
    }

    /// The head for requests to `webhook`, made when first needed.
    core::RequestHead& request_head() {
        if (!head) head = std::make_unique<core::RequestHead>(*webhook);
        return *head;
    }

    std::string id;
    core::WebhookPtr webhook;
    core::EndpointGate gate;
    std::unique_ptr<core::RequestHead> head;
    std::unique_ptr<async::Timer> rate_timer; ///< set while the rate limit alone holds a delivery back
    bool ready = false;                       ///< listed among those that can start a delivery

  private:
    static core::GateSettings with_rate(core::GateSettings settings, const core::Webhook& webhook) {
        settings.max_attempts_per_second = webhook.max_attempts_per_second;
        return settings;
    }
};

/// Endpoints with nothing to do, longest idle first.
using IdleEndpoints = boost::intrusive::list<Endpoint, boost::intrusive::base_hook<IdleHook>,
                                             boost::intrusive::constant_time_size<false>>;

/// Endpoints with deliveries that wait, and perhaps some that do no longer.
using WaitingEndpoints = boost::intrusive::list<Endpoint, boost::intrusive::base_hook<WaitingHook>,
                                                boost::intrusive::constant_time_size<false>>;

} // namespace docmap::pipeline
