// The daemon's wiring: makes every part, connects them, starts and stops them in order.
// Lives on the main thread, which becomes the control thread in run(). Everything the parts refer to is
// declared before them and so outlives them.
#pragma once

#include "api/server.hpp"
#include "async/asio_scheduler.hpp"
#include "async/shared_slots.hpp"
#include "base/error.hpp"
#include "base/health.hpp"
#include "base/metrics.hpp"
#include "config/config.hpp"
#include "config/master_key.hpp"
#include "core/address_policy.hpp"
#include "daemon/io_thread.hpp"
#include "daemon/subscription_changes.hpp"
#include "kafka/consumer.hpp"
#include "net/network.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/shard.hpp"
#include "ports/transport.hpp"
#include "store/store.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <string>
#include <vector>

namespace docmap::daemon {

class Service {
  public:
    Service(const config::Config& config, const config::MasterKey& master_key);
    ~Service();

    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Starts every part. Servers that are away are no error: the parts keep trying. The error is one
    /// readable line.
    base::Result<void> start();

    /// Runs until a signal or a fatal error has ended in a drain. Returns the process's exit code.
    int run();

  private:
    /// One delivery thread with what lives on it.
    struct ShardThread {
        ShardThread(pipeline::ShardSettings settings, async::SharedSlots& slots,
                    pipeline::DeliverySink& sink);

        IoThread thread;
        pipeline::Shard shard;
        std::unique_ptr<ports::Transport> transport;
    };

    base::Result<void> start_shards();
    void start_pipeline();
    base::Result<void> start_api();
    void wait_for_signal();
    void drain(const std::string& reason);
    void stop();
    void stop_api();

    const config::Config& config_;
    std::size_t shard_count_;
    base::HealthBoard health_;
    base::Metrics metrics_;
    core::AddressPolicy address_policy_;

    boost::asio::io_context control_{1};
    async::AsioScheduler scheduler_{control_};
    boost::asio::signal_set signals_{control_, SIGINT, SIGTERM};

    std::unique_ptr<net::Network> network_;
    store::Store store_;
    pipeline::Pipeline pipeline_;
    async::SharedSlots slots_;
    std::vector<std::unique_ptr<ShardThread>> shards_;
    kafka::Consumer consumer_;

    IoThread api_thread_{"api"};
    SubscriptionChanges subscription_changes_;
    std::unique_ptr<api::Server> server_;

    bool draining_ = false;
    int exit_code_ = 0;
};

} // namespace docmap::daemon
