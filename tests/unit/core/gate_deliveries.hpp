// Deliveries and settings for the tests of the endpoint gate.
#pragma once

#include "core/endpoint_gate.hpp"
#include "support/records.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace docmap::core::gate_test {

inline constexpr base::SteadyTime start{std::chrono::seconds{1000}};

inline Delivery delivery(std::int64_t offset) {
    return Delivery{test::make_event({.value = "{}", .offset = offset}), test::make_webhook("webhook-a")};
}

inline Delivery claimed(std::int64_t offset) {
    Delivery made = delivery(offset);
    made.claim = std::make_shared<QueueClaim>();
    return made;
}

inline std::int64_t offset_of(const Delivery& taken) {
    return taken.event->record().offset();
}

inline std::vector<std::int64_t> offsets_of(const std::vector<Delivery>& taken) {
    std::vector<std::int64_t> offsets;
    for (const Delivery& one : taken)
        offsets.push_back(offset_of(one));
    return offsets;
}

using Offsets = std::vector<std::int64_t>;

inline GateSettings settings() {
    GateSettings made;
    made.max_in_flight = 8;
    made.max_queued = 100;
    made.max_wait = std::chrono::milliseconds{2000};
    made.breaker.failures = 3;
    made.breaker.pause = std::chrono::seconds{5};
    made.breaker.max_pause = std::chrono::seconds{60};
    return made;
}

} // namespace docmap::core::gate_test
