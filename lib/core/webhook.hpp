// A webhook as deliveries use it: where to, for which events, signed with what.
// Immutable, shared by pointer between the subscription cache and the deliveries, on any thread.
#pragma once

#include "base/prefetch.hpp"
#include "base/time.hpp"
#include "core/event.hpp"
#include "core/webhook_id.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::core {

/// A set of event types, as subscribed to.
class EventSet {
  public:
    constexpr EventSet() = default;
    constexpr EventSet(std::initializer_list<EventType> types) {
        for (const EventType type : types)
            insert(type);
    }
    constexpr void insert(EventType type) { bits_ |= bit(type); }
    constexpr bool contains(EventType type) const { return (bits_ & bit(type)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    friend constexpr bool operator==(EventSet, EventSet) = default;

  private:
    static constexpr unsigned bit(EventType type) { return 1U << static_cast<unsigned>(type); }
    unsigned bits_ = 0;
};

/// Where connections go: scheme, host and port (RFC 6454). Connections are kept and reused per origin.
struct Origin {
    bool https = true;
    std::string host; ///< lower case; an IPv6 address without brackets
    std::uint16_t port = 443;
    friend bool operator==(const Origin&, const Origin&) = default;
};

/// A webhook URL taken apart. Made by `parse_webhook_url` (core/url.hpp).
struct WebhookUrl {
    Origin origin;
    std::string target;      ///< path and query, as on the request line
    std::string host_header; ///< value of `Host`: the port only where it is not the scheme's own
};

/// A signing secret as issued: 64 hex characters, which are the key of X-DocMap-Signature.
struct SigningSecret {
    std::string text;
};

struct Webhook {
    // What a fan-out reads, beside the reference count; what a delivery record has; what an attempt needs;
    // the rest.
    EventSet events;
    WebhookId id;
    std::string url;                               ///< as registered
    base::SystemTime previous_secret_expires_at{}; ///< until then the previous secret signs too
    WebhookUrl parsed_url;
    std::string user_id;
    SigningSecret secret;
    std::optional<SigningSecret> previous_secret; ///< signs beside the new one during a rotation
    /// Most attempts per second, over all instances; nothing: no such limit.
    std::optional<std::uint32_t> max_attempts_per_second;
};

using WebhookPtr = std::shared_ptr<const Webhook>;

/// Begins to fetch the webhook's reference count and as many of its first bytes.
inline void fetch_ahead(const WebhookPtr& webhook, std::size_t bytes) {
    constexpr std::size_t count_bytes = 16; // which std::make_shared puts in front
    base::prefetch(reinterpret_cast<const char*>(webhook.get()) - count_bytes, count_bytes + bytes);
}

/// For fetch_ahead(): what a fan-out, a delivery record and an attempt read.
inline constexpr std::size_t fan_out_bytes = 24;
inline constexpr std::size_t record_bytes = 96;
inline constexpr std::size_t attempt_bytes = 160;

} // namespace docmap::core
