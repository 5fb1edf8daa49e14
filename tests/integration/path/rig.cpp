#include "integration/path/rig.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <future>
#include <poll.h>
#include <stdexcept>

namespace docmap::test {

namespace {

using namespace std::chrono_literals;

std::string broker_address() {
    const char* brokers = std::getenv("DOCMAP_TEST_KAFKA_BROKERS");
    if (brokers == nullptr)
        throw std::runtime_error("DOCMAP_TEST_KAFKA_BROKERS is not set: run this through tests/run");
    return brokers;
}

store::Store::Settings store_settings(const config::Config& config) {
    store::Store::Settings settings;
    settings.postgres = config.postgres;
    settings.allow_http = config.delivery.allow_http;
    settings.breaker_failures = static_cast<std::uint32_t>(config.delivery.breaker_failures);
    settings.queue_lease = config::lease_of(config);
    settings.deactivate_after = config.delivery.deactivate_after;
    return settings;
}

} // namespace

bool wait_until(const std::function<bool()>& condition, std::chrono::seconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        ::poll(nullptr, 0, 5); // leaves the processor to the threads that are waited for
    }
    return true;
}

config::Config make_config(const std::string& database_url, const std::string& topic,
                           const std::string& group) {
    config::Config config;
    config.kafka.brokers = broker_address();
    config.kafka.group_id = group;
    config.kafka.topics = {topic};
    config.kafka.commit_interval = 100ms;
    config.kafka.properties = {
        {"session.timeout.ms", "6000"}, {"heartbeat.interval.ms", "500"}, {"fetch.wait.max.ms", "10"}};
    config.postgres.url = database_url;
    config.postgres.connections = 2;
    config.postgres.writer_connections = 1;
    config.delivery.allow_http = true;
    config.delivery.allow_networks = {"127.0.0.0/8"};
    config.delivery.shards = 1;
    return config;
}

Rig::Rig(const config::Config& config)
    : config_(config), network_(std::move(net::Network::create(config.delivery, 1).value())),
      store_(store_settings(config), control_.context.get_executor(), health_, metrics_),
      pipeline_(config_,
                {control_.scheduler, store_.subscriptions(), store_.attempt_log(),
                 store_.rejected_record_log(), store_.recorded_deliveries(), store_.parked_log(),
                 store_.delivery_queue()},
                metrics_),
      slots_(config.delivery.max_in_flight, 1),
      shard_(pipeline::shard_settings(config.delivery, 0, 1, 1), shard_thread_.scheduler, slots_, pipeline_),
      transport_(network_->make_transport(shard_thread_.context, shard_)),
      consumer_(config.kafka, control_.context.get_executor(), pipeline_, health_, metrics_,
                [](const std::string& reason) { throw std::runtime_error(reason); }) {
    shard_.attach(*transport_);
}

Rig::~Rig() {
    if (!drained_) drain(0ms);
    store_.stop();
    control_.stop();
    shard_thread_.stop();
    transport_.reset();
    network_->stop();
}

void Rig::start() {
    control_.start();
    shard_thread_.start();
    store_.start(pipeline_);
    pipeline_.start({{&shard_, &shard_thread_.scheduler}}, consumer_);
    consumer_.start().value();
    if (!wait_until([this] { return health_.ready(); }))
        throw std::runtime_error("not ready: " + not_ready());
}

bool Rig::drain(std::chrono::milliseconds attempts_time) {
    drained_ = true;
    const auto promise = std::make_shared<std::promise<void>>();
    control_.scheduler.post([this, promise, attempts_time] {
        const auto deadline = control_.scheduler.now() + attempts_time;
        pipeline_.drain(deadline, deadline + 5s, [promise] { promise->set_value(); });
    });
    return promise->get_future().wait_for(attempts_time + 15s) == std::future_status::ready;
}

std::string Rig::create_webhook(const std::string& user_id, const std::string& url) {
    ports::NewWebhook webhook;
    webhook.user_id = user_id;
    webhook.url = url;
    webhook.events = {core::EventType::extraction_completed, core::EventType::extraction_failed};
    webhook.secret.text = std::string(64, 'b');
    auto creation = store_.webhooks().create(std::move(webhook));
    auto created = boost::asio::co_spawn(control_.context, std::move(creation), boost::asio::use_future);
    return created.get().value().id;
}

std::string Rig::not_ready() const {
    std::string text;
    for (const auto& [name, part] : health_.parts())
        if (!part.ready) text += name + ": " + part.detail + "; ";
    return text;
}

} // namespace docmap::test
