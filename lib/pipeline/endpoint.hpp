// One webhook as a shard serves it: its newest snapshot, its gate, and the request head prepared for it.
// Lives on the shard's thread; owned by the shard.
#pragma once

#include "core/endpoint_gate.hpp"
#include "core/request_head.hpp"
#include "core/webhook.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace docmap::pipeline {

using IdleHook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

struct Endpoint : IdleHook {
    Endpoint(core::WebhookPtr subscribed, std::size_t max_in_flight)
        : id(subscribed->id), webhook(std::move(subscribed)), gate(max_in_flight) {}

    /// Uses `newest` from the next attempt on.
    void update(const core::WebhookPtr& newest) {
        if (webhook == newest) return;
        webhook = newest;
        head.reset();
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
    bool ready = false; ///< listed among those that can start a delivery
};

/// Endpoints with nothing to do, longest idle first.
using IdleEndpoints = boost::intrusive::list<Endpoint, boost::intrusive::constant_time_size<false>>;

} // namespace docmap::pipeline
