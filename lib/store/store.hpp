// Everything of PostgreSQL that `serve` needs, made and stopped together.
// Lives on the thread that wires the daemon, which owns it; the ports may be used from the threads their
// headers name. stop() first fails what is pending; everything it posts to the executors must be run or
// dropped before this is destroyed.
#pragma once

#include "core/secret_box.hpp"
#include "store/api_key_repository.hpp"
#include "store/attempt_log.hpp"
#include "store/delivery_queue.hpp"
#include "store/delivery_repository.hpp"
#include "store/maintenance.hpp"
#include "store/parked_log.hpp"
#include "store/recorded_deliveries.hpp"
#include "store/rejected_record_log.hpp"
#include "store/subscription_source.hpp"
#include "store/webhook_listener.hpp"
#include "store/webhook_repository.hpp"

namespace docmap::store {

class Store {
  public:
    struct Settings {
        config::Postgres postgres;
        core::SecretBox::Key master_key{};
        bool allow_http = false;                      ///< http:// webhooks may be called
        std::uint32_t breaker_failures = 5;           ///< as delivery.breaker_failures
        std::chrono::milliseconds queue_lease{30000}; ///< as queue.lease
        std::chrono::milliseconds deactivate_after =
            std::chrono::hours{5 * 24}; ///< as delivery.deactivate_after
    };

    /// `control` runs the callbacks of the pipeline's ports and must outlive this, as must `board` and
    /// `metrics`. The repositories need no executor: their calls resume on the caller's own.
    Store(const Settings& settings, const boost::asio::any_io_executor& control, base::HealthBoard& board,
          base::Metrics& metrics);
    ~Store();

    /// Connects in the background and keeps trying; the state is part `postgres` of the health board. Call
    /// once.
    void start(ports::SubscriptionListener& listener);

    /// Stops the listener and the maintenance, then the pools; jobs that are queued fail. Returns when all
    /// threads have ended. May be called twice.
    void stop();

    ports::AttemptLog& attempt_log() { return attempt_log_; }
    ports::ParkedLog& parked_log() { return parked_log_; }
    ports::DeliveryQueue& delivery_queue() { return delivery_queue_; }
    ports::RejectedRecordLog& rejected_record_log() { return rejected_record_log_; }
    ports::RecordedDeliveries& recorded_deliveries() { return recorded_deliveries_; }
    ports::SubscriptionSource& subscriptions() { return subscriptions_; }
    ports::WebhookRepository& webhooks() { return webhooks_; }
    ports::DeliveryRepository& deliveries() { return deliveries_; }
    ports::ApiKeyRepository& api_keys() { return api_keys_; }

  private:
    core::SecretBox secrets_;
    DatabaseHealth health_;
    Database queries_;
    Database writers_;
    Database queue_; ///< its own: a sign of life must not wait behind the API's queries
    WebhookListener listener_;
    Maintenance maintenance_;
    PostgresAttemptLog attempt_log_;
    PostgresParkedLog parked_log_;
    PostgresDeliveryQueue delivery_queue_;
    PostgresRejectedRecordLog rejected_record_log_;
    PostgresRecordedDeliveries recorded_deliveries_;
    PostgresSubscriptionSource subscriptions_;
    PostgresWebhookRepository webhooks_;
    PostgresDeliveryRepository deliveries_;
    PostgresApiKeyRepository api_keys_;
};

} // namespace docmap::store
