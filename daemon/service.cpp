#include "daemon/service.hpp"

#include "base/log.hpp"
#include "daemon/command_line.hpp"
#include "daemon/process.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <utility>

namespace docmap::daemon {

namespace {

using namespace std::chrono_literals;

/// After the attempts have ended: for what they found out to be stored.
constexpr auto store_time = 2s;
/// After the last commit: for API calls in progress to end.
constexpr auto api_time = 500ms;

/// A quarter of a delivery's work is done by other threads: control, PostgreSQL's, librdkafka's. Where shards
/// have every core, they and those take turns, and each turn costs.
std::size_t shard_count(const config::Delivery& delivery) {
    if (delivery.shards != 0) return delivery.shards;
    return std::max<std::size_t>(1, std::size_t{std::thread::hardware_concurrency()} * 3 / 4);
}

store::Store::Settings store_settings(const config::Config& config, const config::MasterKey& master_key) {
    store::Store::Settings settings;
    settings.postgres = config.postgres;
    settings.master_key = master_key;
    settings.allow_http = config.delivery.allow_http;
    settings.breaker_failures = static_cast<std::uint32_t>(config.delivery.breaker_failures);
    settings.queue_lease = config::lease_of(config);
    settings.deactivate_after = config.delivery.deactivate_after;
    return settings;
}

} // namespace

Service::ShardThread::ShardThread(pipeline::ShardSettings settings, async::SharedSlots& slots,
                                  pipeline::DeliverySink& sink)
    : thread("shard-" + std::to_string(settings.index)),
      shard(std::move(settings), thread.scheduler(), slots, sink) {}

Service::Service(const config::Config& config, const config::MasterKey& master_key)
    : config_(config), shard_count_(shard_count(config.delivery)),
      store_(store_settings(config, master_key), control_.get_executor(), health_, metrics_),
      pipeline_(config,
                {scheduler_, store_.subscriptions(), store_.attempt_log(), store_.rejected_record_log(),
                 store_.recorded_deliveries(), store_.parked_log(), store_.delivery_queue()},
                metrics_),
      slots_(config.delivery.max_in_flight, shard_count_),
      consumer_(config.kafka, control_.get_executor(), pipeline_, health_, metrics_,
                [this](const std::string& reason) {
                    exit_code_ = exit_failed;
                    drain(reason);
                }),
      subscription_changes_(scheduler_, pipeline_) {}

Service::~Service() {
    stop();
}

base::Result<void> Service::start() {
    auto policy = core::AddressPolicy::from_cidrs(config_.delivery.allow_networks);
    if (!policy) return policy.error();
    address_policy_ = std::move(*policy);
    if (auto started = start_shards(); !started) return started;
    if (auto started = start_api(); !started) return started;
    store_.start(pipeline_);
    start_pipeline();
    if (auto started = consumer_.start(); !started) return started;
    health_.report("daemon", true);
    wait_for_signal();
    return {};
}

base::Result<void> Service::start_shards() {
    auto network = net::Network::create(config_.delivery, shard_count_);
    if (!network) return network.error();
    network_ = std::move(*network);
    for (std::size_t index = 0; index < shard_count_; ++index) {
        auto settings =
            pipeline::shard_settings(config_.delivery, index, shard_count_, std::random_device{}());
        settings.membership = &consumer_.membership();
        auto& added = *shards_.emplace_back(std::make_unique<ShardThread>(settings, slots_, pipeline_));
        added.transport = network_->make_transport(added.thread.context(), added.shard);
        added.shard.attach(*added.transport);
    }
    return {};
}

void Service::start_pipeline() {
    std::vector<pipeline::Pipeline::ShardHandle> handles;
    for (const auto& shard : shards_)
        handles.push_back({&shard->shard, &shard->thread.scheduler()});
    pipeline_.start(std::move(handles), consumer_);
    for (const auto& shard : shards_)
        shard->thread.start();
}

base::Result<void> Service::start_api() {
    const api::Services services{
        store_.webhooks(), store_.deliveries(), store_.api_keys(),          subscription_changes_, health_,
        metrics_,          address_policy_,     config_.delivery.allow_http};
    auto server = std::make_unique<api::Server>(config_.api, api_thread_.context().get_executor(), services);
    const auto port = server->start();
    if (!port) return port.error();
    server_ = std::move(server);
    api_thread_.start();
    return {};
}

void Service::wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error) return;
        if (draining_) {
            base::log::warning("a second signal: exiting at once; what is not committed is delivered later");
            std::_Exit(exit_failed);
        }
        wait_for_signal();
        drain(signal == SIGTERM ? "SIGTERM" : "SIGINT");
    });
}

int Service::run() {
    control_.run();
    stop();
    base::log::info("stopped", {{"exit_code", exit_code_}});
    return exit_code_;
}

void Service::drain(const std::string& reason) {
    if (std::exchange(draining_, true)) return;
    base::log::info("stopping", {{"reason", reason}, {"unsettled_events", pipeline_.unsettled()}});
    notify_stopping();
    health_.report("daemon", false, "stopping");
    const base::SteadyTime attempts_deadline = scheduler_.now() + config_.delivery.drain_timeout;
    pipeline_.drain(attempts_deadline, attempts_deadline + store_time, [this] {
        base::log::info("drained", {{"events_left_for_later", pipeline_.unsettled()}});
        control_.stop();
    });
}

void Service::stop() {
    stop_api();
    api_thread_.stop();
    for (const auto& shard : shards_) {
        shard->thread.stop();
        shard->transport.reset();
    }
    store_.stop();
    if (network_) network_->stop();
    shards_.clear();
}

/// Ends the API while the control thread still works, since a call in progress may wait for either it or the
/// database.
void Service::stop_api() {
    if (!server_) return;
    const auto stopped = std::make_shared<bool>(false);
    const base::SteadyTime deadline = scheduler_.now() + api_time;
    server_->stop(deadline, [this, stopped] { scheduler_.post([stopped] { *stopped = true; }); });

    control_.restart();
    const auto work = boost::asio::make_work_guard(control_);
    while (!*stopped && scheduler_.now() < deadline)
        control_.run_one_until(deadline);
    // What a call still waits for now is the database: its pending work fails.
    if (!*stopped) store_.stop();
    while (!*stopped)
        control_.run_one();
    server_.reset();
}

} // namespace docmap::daemon
