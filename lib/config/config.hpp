// The daemon's whole configuration, validated and typed. Plain values: read once at start, then shared
// read-only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace docmap::config {

struct Kafka {
    std::string brokers = "127.0.0.1:9092";
    std::string group_id = "docmap-webhookd";
    std::vector<std::string> topics = {"extraction.completed", "extraction.failed"};
    std::size_t max_event_bytes = 1024 * 1024;       ///< a larger record value goes to rejected_events
    std::chrono::milliseconds commit_interval{1000}; ///< how often settled offsets are committed
    std::chrono::milliseconds read_linger{4};        ///< how long records gather where they come fast
    std::string start_from = "earliest";             ///< "earliest" or "latest": a partition never committed
    std::vector<std::pair<std::string, std::string>> properties; ///< passed to librdkafka as they are

    friend bool operator==(const Kafka&, const Kafka&) = default;
};

struct Postgres {
    std::string url = "postgresql:///docmap";
    std::size_t connections = 4;        ///< for queries of the API and of the pipeline
    std::size_t writer_connections = 2; ///< for delivery logs
    std::size_t max_queued_jobs = 1024; ///< per pool; more are refused as unavailable
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds statement_timeout{15000};
    std::size_t retention_days = 30; ///< delivery records older than that are dropped

    friend bool operator==(const Postgres&, const Postgres&) = default;
};

/// How much may be inside the daemon at once. Reaching a limit holds Kafka partitions back.
struct Intake {
    std::size_t max_events = 20000;
    std::size_t max_bytes = 128 * 1024 * 1024;
    std::size_t max_uncommitted_events = 1000000; ///< per partition, above the first unsettled offset
    std::size_t subscription_cache_users = 100000;

    friend bool operator==(const Intake&, const Intake&) = default;
};

struct Delivery {
    std::chrono::milliseconds timeout{10000};
    std::size_t max_in_flight = 4096;
    std::size_t max_in_flight_per_endpoint = 32;
    std::vector<std::chrono::milliseconds> retry_schedule = {
        std::chrono::seconds{5}, std::chrono::minutes{5}, std::chrono::minutes{30}, std::chrono::hours{2},
        std::chrono::hours{5},   std::chrono::hours{10},  std::chrono::hours{10}};
    std::chrono::milliseconds deactivate_after = std::chrono::hours{5 * 24}; ///< of nothing but failures
    std::size_t max_queued_per_endpoint = 10000;   ///< waiting in memory; more is parked
    std::chrono::milliseconds max_wait{2000};      ///< in memory; what waits longer is parked
    std::size_t breaker_failures = 5;              ///< in a row: the endpoint is left alone
    std::chrono::milliseconds breaker_pause{5000}; ///< until the first probe
    std::chrono::milliseconds breaker_max_pause{300'000};
    bool allow_http = false;
    std::vector<std::string> allow_networks;        ///< CIDR blocks exempt from the private-address block
    std::string ca_file;                            ///< extra trusted CAs (PEM); empty: the system's only
    std::size_t shards = 0;                         ///< delivery threads; 0: three for four cores
    std::size_t max_idle_connections = 1024;        ///< kept alive, over all endpoints and shards
    std::chrono::milliseconds idle_timeout{60000};  ///< a kept connection unused for this long is closed
    std::size_t max_opening_connections = 16;       ///< to one origin, by one shard
    std::chrono::milliseconds connection_wait{200}; ///< for one that is idle, before that is exceeded
    std::size_t max_prepared_webhooks = 100000;     ///< whose request heads and keys are kept ready
    std::size_t dns_threads = 4;
    std::chrono::milliseconds dns_cache_ttl{10000};
    std::size_t record_batch_rows = 1000;           ///< most attempts written in one transaction
    std::chrono::milliseconds record_linger{10};    ///< longest wait for a batch to fill
    std::chrono::milliseconds drain_timeout{12000}; ///< at SIGTERM: how long attempts may go on

    friend bool operator==(const Delivery&, const Delivery&) = default;
};

/// The durable queue of retries and parked deliveries.
struct Queue {
    std::chrono::milliseconds lease{0};    ///< see lease_of(); 0: three times the delivery timeout
    std::size_t max_claimed_events = 2000; ///< in memory at once
    std::size_t max_claimed_bytes = 64 * 1024 * 1024;

    friend bool operator==(const Queue&, const Queue&) = default;
};

struct Api {
    std::string listen_address = "127.0.0.1";
    std::uint16_t listen_port = 8080; ///< 0: any free port, logged at start
    std::string tls_certificate;      ///< PEM chain; with tls_key: serve HTTPS
    std::string tls_key;
    std::size_t max_connections = 1024;
    std::size_t max_body_bytes = 64 * 1024;
    std::chrono::milliseconds request_timeout{30000};

    friend bool operator==(const Api&, const Api&) = default;
};

struct Secrets {
    std::string master_key_file; ///< 64 hex characters; empty: systemd credential `master-key`

    friend bool operator==(const Secrets&, const Secrets&) = default;
};

struct Log {
    std::string level = "info";  ///< debug, info, warning, error
    std::string format = "json"; ///< json, text

    friend bool operator==(const Log&, const Log&) = default;
};

struct Config {
    Kafka kafka;
    Postgres postgres;
    Intake intake;
    Delivery delivery;
    Queue queue;
    Api api;
    Secrets secrets;
    Log log;

    friend bool operator==(const Config&, const Config&) = default;
};

/// How long an instance's claims of the delivery queue outlive a sign of life.
inline std::chrono::milliseconds lease_of(const Config& config) {
    return config.queue.lease.count() > 0 ? config.queue.lease : config.delivery.timeout * 3;
}

} // namespace docmap::config
