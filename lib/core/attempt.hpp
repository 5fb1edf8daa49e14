// The phases of a delivery: delivery → attempt → its record. Plain values, moved along the pipeline.
#pragma once

#include "base/time.hpp"
#include "core/event.hpp"
#include "core/queue_claim.hpp"
#include "core/webhook.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::core {

/// One event owed to one webhook.
struct Delivery {
    EventPtr event;
    WebhookPtr webhook;
    std::shared_ptr<const QueueClaim> claim{}; ///< null: the event was just read from its partition
    std::uint16_t attempt = 1;                 ///< number of the next attempt, from 1
};

/// Id of a delivery record: 24 characters of `0-9a-v`. The first nine are the attempt's start in
/// milliseconds, so that ids sort by time; the rest is a hash of what was attempted. See
/// core/delivery_id.hpp.
using DeliveryId = std::array<char, 24>;

inline std::string_view view(const DeliveryId& id) {
    return {id.data(), id.size()};
}

/// One finished attempt, as the delivery log stores it.
struct AttemptRecord {
    Delivery delivery;
    DeliveryId id{};
    base::SystemTime started_at{};
    std::chrono::milliseconds duration{0};
    std::uint16_t http_status = 0; ///< 0: no response came
    bool success = false;
    bool endpoint_failed = false; ///< the endpoint is in trouble, not just this event: see core/verdict.hpp
    bool deactivates = false;     ///< the endpoint is gone for good (410): its webhook is deactivated
    std::string error;            ///< empty on success; else one readable line
    std::optional<base::SystemTime> next_attempt_at{}; ///< nothing: this attempt is final
};

/// A delivery that waits in the delivery queue instead of in memory.
struct ParkedDelivery {
    Delivery delivery;
    base::SystemTime parked_at{};
    /// The endpoint is down: it is not to be called before this time, and then with one delivery first.
    std::optional<base::SystemTime> not_before{};
};

/// A record that breaks the rules for events, and why.
struct RejectedRecord {
    RecordPtr record;
    std::string reason;
};

} // namespace docmap::core
