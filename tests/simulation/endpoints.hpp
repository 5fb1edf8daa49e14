// The simulated receivers, and an instance's transport to them.
#pragma once

#include "ports/transport.hpp"
#include "simulation/oracle.hpp"
#include "simulation/store_ports.hpp"
#include "simulation/thread.hpp"

#include <chrono>
#include <map>
#include <string>

namespace docmap::simulation {

/// One shard's transport. Lives on the shard's thread.
class SimTransport final : public ports::Transport {
  public:
    SimTransport(StoreContext& context, SimQueue& queue, Thread& thread, ports::ExchangeListener& listener,
                 std::size_t shard);

    void start(ports::Exchange& exchange) override;
    void abort_all() override;

    std::size_t in_flight() const { return under_way_.size(); }

  private:
    struct Answer {
        std::chrono::nanoseconds after{};
        ports::ExchangeResult result;
    };
    struct UnderWay {
        ports::Exchange* exchange;
        Request request;
    };

    Answer draw(Behaviour behaviour, std::chrono::nanoseconds timeout);
    void end(std::uint64_t number, const ports::ExchangeResult& result);

    World& world_;
    StoreContext& context_;
    SimQueue& queue_;
    Thread& thread_;
    ports::ExchangeListener& listener_;
    Random random_;
    std::map<std::uint64_t, UnderWay> under_way_; ///< in the order of their start
    std::uint64_t started_ = 0;
};

} // namespace docmap::simulation
