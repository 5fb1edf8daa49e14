#include "store/store.hpp"

#include <chrono>
#include <utility>

namespace docmap::store {

namespace {

/// A job of several statements may need a multiple of one statement's time.
std::chrono::milliseconds max_job_time(const config::Postgres& postgres) {
    return 3 * postgres.statement_timeout;
}

Database::Settings query_pool(const config::Postgres& postgres) {
    return {connection_parameters(postgres, Planning::each_time), postgres.connections,
            postgres.max_queued_jobs, "queries", max_job_time(postgres)};
}

Database::Settings writer_pool(const config::Postgres& postgres) {
    return {connection_parameters(postgres, Planning::once), postgres.writer_connections,
            postgres.max_queued_jobs, "writers", max_job_time(postgres)};
}

/// One for claims, which carry bodies, and one for what is short.
constexpr std::size_t queue_connections = 2;

Database::Settings queue_pool(const config::Postgres& postgres) {
    return {connection_parameters(postgres, Planning::each_time), queue_connections, postgres.max_queued_jobs,
            "queue", max_job_time(postgres)};
}

} // namespace

Store::Store(const Settings& settings, const boost::asio::any_io_executor& control, base::HealthBoard& board,
             base::Metrics& metrics)
    : secrets_(settings.master_key), health_(board), queries_(query_pool(settings.postgres), health_),
      writers_(writer_pool(settings.postgres), health_), queue_(queue_pool(settings.postgres), health_),
      listener_(connection_parameters(settings.postgres, Planning::each_time), health_, control),
      maintenance_({connection_parameters(settings.postgres, Planning::each_time),
                    settings.postgres.retention_days, settings.deactivate_after},
                   metrics),
      attempt_log_(writers_, control, metrics), parked_log_(writers_, control, settings.breaker_failures),
      delivery_queue_(queue_, control, settings.queue_lease), rejected_record_log_(writers_, control),
      recorded_deliveries_(queries_, control),
      subscriptions_(queries_, control, secrets_, settings.allow_http), webhooks_(queries_, secrets_),
      deliveries_(queries_), api_keys_(queries_) {}

Store::~Store() {
    stop();
}

void Store::start(ports::SubscriptionListener& listener) {
    queries_.start();
    writers_.start();
    queue_.start();
    listener_.start(listener);
    maintenance_.start();
}

void Store::stop() {
    listener_.stop();
    maintenance_.stop();
    queries_.stop();
    writers_.stop();
    queue_.stop();
}

} // namespace docmap::store
