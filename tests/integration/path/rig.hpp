// The daemon's libraries wired as the daemon wires them, in this process: real Kafka, real PostgreSQL, real
// sockets. The control thread and one shard's thread run from start() to stop(); the test's thread looks on.
#pragma once

#include "async/asio_scheduler.hpp"
#include "async/shared_slots.hpp"
#include "base/health.hpp"
#include "base/metrics.hpp"
#include "config/config.hpp"
#include "kafka/consumer.hpp"
#include "net/network.hpp"
#include "pipeline/pipeline.hpp"
#include "store/store.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace docmap::test {

/// Waits until `condition` holds; false where it did not within `timeout`.
bool wait_until(const std::function<bool()>& condition,
                std::chrono::seconds timeout = std::chrono::seconds{30});

/// A configuration for the brokers of DOCMAP_TEST_KAFKA_BROKERS and the database at `database_url`.
config::Config make_config(const std::string& database_url, const std::string& topic,
                           const std::string& group);

class Rig {
  public:
    explicit Rig(const config::Config& config);
    ~Rig();

    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    /// Starts everything and waits until all parts are ready.
    void start();

    /// Drains as the daemon does at SIGTERM, with that long for attempts in flight. False where it took too
    /// long.
    bool drain(std::chrono::milliseconds attempts_time);

    /// Creates a webhook for all events; returns its id.
    std::string create_webhook(const std::string& user_id, const std::string& url);

    const base::Metrics& metrics() const { return metrics_; }
    std::string not_ready() const;

  private:
    struct Thread {
        boost::asio::io_context context{1};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
        async::AsioScheduler scheduler{context};
        std::thread thread;
        void start() {
            thread = std::thread([this] { context.run(); });
        }
        void stop() {
            context.stop();
            if (thread.joinable()) thread.join();
        }
    };

    const config::Config config_;
    base::HealthBoard health_;
    base::Metrics metrics_;
    Thread control_;
    Thread shard_thread_;
    std::unique_ptr<net::Network> network_;
    store::Store store_;
    pipeline::Pipeline pipeline_;
    async::SharedSlots slots_;
    pipeline::Shard shard_;
    std::unique_ptr<ports::Transport> transport_;
    kafka::Consumer consumer_;
    bool drained_ = false;
};

} // namespace docmap::test
