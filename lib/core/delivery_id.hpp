// Ids of delivery records: when the attempt started, and a hash of what was attempted.
// Pure functions, usable on any thread.
#pragma once

#include "base/time.hpp"
#include "core/attempt.hpp"

#include <optional>
#include <string_view>

namespace docmap::core {

/// 24 characters of base32hex in lower case (RFC 4648, section 7), without padding. The first nine are the
/// milliseconds since the epoch, highest bits first, so that ids sort by time; times outside 1970–3084 are
/// clamped. The other fifteen are 75 bits of a hash over topic, partition, offset, body, webhook and attempt.
DeliveryId make_delivery_id(base::SystemTime started_at, const Event& event, const WebhookId& webhook_id,
                            unsigned attempt);

/// When the attempt of the record with this id started. Nothing where `id` is no such id.
std::optional<base::SystemTime> time_of(std::string_view id);

} // namespace docmap::core
