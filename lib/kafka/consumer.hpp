// The source of records: one thread that is a member of the consumer group and the only caller of librdkafka.
// Owned by the wiring. Stops with close(); the destructor stops it as well, and waits for the thread, which
// takes a few seconds at most. The sink, the health board and the control executor must outlive it, and the
// executor must run until `closed` was called, or be stopped for good.
#pragma once

#include "base/error.hpp"
#include "base/health.hpp"
#include "base/metrics.hpp"
#include "config/config.hpp"
#include "kafka/member_context.hpp"
#include "ports/record_source.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace docmap::kafka {

class Probe;

class Consumer final : public ports::RecordSource {
  public:
    /// `on_fatal` is called on the control thread, once, when the consumer cannot go on for good (another
    /// process took over its group.instance.id, for one): the daemon must exit with a failure.
    Consumer(const config::Kafka& config, boost::asio::any_io_executor control, ports::RecordSink& sink,
             base::HealthBoard& health, base::Metrics& metrics, std::function<void(std::string)> on_fatal);
    ~Consumer() override;

    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    /// Starts the thread. Fails where librdkafka refuses the configuration; a broker that is away is waited
    /// for. Call once.
    base::Result<void> start();

    /// Permits while the assignments can be believed to be this process's. Any thread.
    const core::Lease& membership() const { return membership_; }

    void grant(std::size_t events, std::size_t bytes) override;
    void stop_intake() override;
    void close(std::function<void()> closed) override;

  private:
    void run(std::unique_ptr<Probe> probe);
    std::optional<std::size_t> wait_for_cluster(Probe& probe);
    void consume(std::size_t partitions);

    const config::Kafka config_;
    boost::asio::any_io_executor control_;
    base::HealthBoard& health_;
    Requests requests_;
    core::Lease membership_;
    MemberContext context_;
    std::function<void()> closed_; ///< set before requests_.close, called by the thread
    std::thread thread_;
};

} // namespace docmap::kafka
