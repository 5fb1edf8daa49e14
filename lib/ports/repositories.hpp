// What the HTTP API stores and reads. Implemented over PostgreSQL.
// Every call is awaited on the API's executor and resumes there; the work happens elsewhere.
#pragma once

#include "base/time.hpp"
#include "core/webhook.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace docmap::ports {

enum class RepositoryError {
    unavailable,   ///< the database is away or its queue is full
    not_found,     ///< no such row
    forbidden,     ///< the row is another user's
    limit_reached, ///< as many as a user may have exist already
};

template<typename T>
using RepositoryResult = boost::system::result<T, RepositoryError>;

template<typename T>
using RepositoryAwaitable = boost::asio::awaitable<RepositoryResult<T>>;

[[noreturn]] void throw_exception_from_error(RepositoryError error, const boost::source_location& location);

/// A webhook as the API shows it: no secret.
struct WebhookView {
    std::string id; ///< `webhook-` + 12 of `a-z0-9`
    std::string user_id;
    std::string url;
    core::EventSet events;
    bool active = true;
    base::SystemTime created_at{};
};

struct NewWebhook {
    std::string user_id;
    std::string url;
    core::EventSet events;
    core::SigningSecret secret; ///< stored encrypted
};

class WebhookRepository {
  public:
    virtual ~WebhookRepository() = default;

    /// `limit_reached` where the user has 10 active webhooks, also when many calls race.
    virtual RepositoryAwaitable<WebhookView> create(NewWebhook webhook) = 0;

    /// The user's active (or deactivated) webhooks, newest first.
    virtual RepositoryAwaitable<std::vector<WebhookView>> list(std::string user_id, bool active) = 0;

    /// Deletes for good. `not_found`, or `forbidden` for another user's.
    virtual RepositoryAwaitable<void> remove(std::string user_id, std::string webhook_id) = 0;
};

/// A delivery record as the API shows it.
struct DeliveryView {
    std::string id;
    std::string user_id;
    std::string webhook_id;
    std::string extraction_id;
    std::string event;
    std::string event_id;
    std::string url;
    bool success = false;
    std::optional<int> http_status;
    std::optional<std::string> error;
    std::int64_t duration_ms = 0;
    int attempt = 1;
    base::SystemTime created_at{};
    std::optional<base::SystemTime> next_attempt_at;
};

struct DeliveryFilter {
    std::string user_id;
    std::optional<std::string> webhook_id;
    std::optional<std::string> event;
    std::optional<bool> success;
    std::optional<std::string> extraction_id;
    /// Only deliveries behind this one in the listing's order (newest first, then by id).
    std::optional<std::pair<base::SystemTime, std::string>> after;
    std::size_t limit = 50;
};

class DeliveryRepository {
  public:
    virtual ~DeliveryRepository() = default;

    /// At most `limit` deliveries, newest first.
    virtual RepositoryAwaitable<std::vector<DeliveryView>> list(DeliveryFilter filter) = 0;
};

class ApiKeyRepository {
  public:
    virtual ~ApiKeyRepository() = default;

    /// The user a valid key belongs to, by the key's SHA-256. `not_found` for an unknown, revoked or expired
    /// one.
    virtual RepositoryAwaitable<std::string> find_user(std::array<unsigned char, 32> key_hash) = 0;
};

/// Makes a change of webhooks take effect in this process before the API answers.
class SubscriptionChanges {
  public:
    virtual ~SubscriptionChanges() = default;

    /// Returns once no new attempt to a removed webhook can begin in this process.
    virtual boost::asio::awaitable<void> webhook_changed(std::string user_id, std::string webhook_id,
                                                         bool removed) = 0;
};

} // namespace docmap::ports
