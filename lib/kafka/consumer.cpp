#include "kafka/consumer.hpp"

#include "base/log.hpp"
#include "kafka/group_member.hpp"
#include "kafka/probe.hpp"
#include "kafka/properties.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

namespace docmap::kafka {

namespace {

/// The longest look at a cluster that does not answer: close() has to wait for it.
constexpr std::chrono::milliseconds look_timeout{1000};
constexpr std::chrono::milliseconds look_again{500};

/// Assumed where no topic exists yet.
constexpr std::size_t usual_partitions = 12;

} // namespace

Consumer::Consumer(const config::Kafka& config, boost::asio::any_io_executor control, ports::RecordSink& sink,
                   base::HealthBoard& health, base::Metrics& metrics,
                   std::function<void(std::string)> on_fatal)
    : config_(config), control_(std::move(control)),
      health_(health), context_{config_,   control_,   sink, health, metrics, std::move(on_fatal),
                                requests_, membership_} {
    health_.expect(health_part, "not started");
}

Consumer::~Consumer() {
    requests_.close.store(true);
    requests_.wakeup.signal();
    if (thread_.joinable()) thread_.join();
}

base::Result<void> Consumer::start() {
    base::Result<std::unique_ptr<Probe>> probe = Probe::open(config_);
    if (!probe) return probe.error();
    const std::string warning = assignor_warning(config_, rd_kafka_version());
    if (!warning.empty()) base::log::warning(warning);
    health_.report(health_part, false, "connecting to " + config_.brokers);
    thread_ = std::thread([this, opened = std::move(*probe)]() mutable { run(std::move(opened)); });
    return {};
}

void Consumer::grant(std::size_t events, std::size_t bytes) {
    if (requests_.allowance.grant(events, bytes)) requests_.wakeup.signal();
}

void Consumer::stop_intake() {
    requests_.stop_intake.store(true);
}

void Consumer::close(std::function<void()> closed) {
    if (!thread_.joinable()) {
        boost::asio::post(control_, std::move(closed));
        return;
    }
    closed_ = std::move(closed);
    requests_.close.store(true);
    requests_.wakeup.signal();
}

void Consumer::run(std::unique_ptr<Probe> probe) {
    const std::optional<std::size_t> partitions = wait_for_cluster(*probe);
    probe.reset();
    if (partitions) consume(*partitions);
    // It may have ended by itself. Whoever closes it later is still told.
    while (!requests_.close.load())
        requests_.wakeup.wait(look_again);
    health_.report(health_part, false, "closed");
    if (closed_) boost::asio::post(control_, std::move(closed_));
}

/// Counts the topics' partitions, which the limits of the queues depend on. Nothing: closed meanwhile.
std::optional<std::size_t> Consumer::wait_for_cluster(Probe& probe) {
    std::string logged;
    while (!requests_.close.load()) {
        const ClusterState cluster = probe.look(look_timeout);
        if (cluster.problem.empty())
            return cluster.partitions() == 0 ? usual_partitions : cluster.partitions();
        health_.report(health_part, false, cluster.problem);
        if (logged != cluster.problem)
            base::log::warning("Kafka is not reachable; trying again",
                               {{"part", "kafka"}, {"reason", cluster.problem}});
        logged = cluster.problem;
        requests_.wakeup.wait(look_again);
    }
    return std::nullopt;
}

void Consumer::consume(std::size_t partitions) {
    const base::Result<std::unique_ptr<GroupMember>> joined =
        GroupMember::join(context_, queue_limits(partitions));
    if (!joined) {
        base::log::error("the Kafka consumer did not start",
                         {{"part", "kafka"}, {"reason", joined.error().message}});
        health_.report(health_part, false, joined.error().message);
        boost::asio::post(control_,
                          [on_fatal = context_.on_fatal, why = joined.error().message] { on_fatal(why); });
        return;
    }
    GroupMember& member = **joined;
    bool closing = false;
    while (!member.closed()) {
        member.turn();
        if (!closing && requests_.close.load()) {
            closing = true;
            member.close();
        }
    }
}

} // namespace docmap::kafka
