// Sends webhooks over HTTP/1.1: finds, awaits or makes a connection for each exchange, under one deadline
// from that to the last byte read. One per shard, on the shard's thread; owned by the wiring, destroyed
// before the shard's io_context. Stops by abort_all(), or by its destruction, which tells the listener
// nothing.
#pragma once

#include "async/asio_scheduler.hpp"
#include "core/address_policy.hpp"
#include "net/connection.hpp"
#include "net/connection_pool.hpp"
#include "net/resolver.hpp"
#include "net/tls_context.hpp"
#include "ports/transport.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace docmap::net {

class HttpTransport final : public ports::Transport, private ConnectionOwner {
  public:
    /// All must outlive the transport; `resolver` posts to `shard`.
    HttpTransport(PoolSettings settings, boost::asio::io_context& shard, const TlsContext& tls,
                  const core::AddressPolicy& policy, Resolver& resolver, ports::ExchangeListener& listener);
    ~HttpTransport() override;

    HttpTransport(const HttpTransport&) = delete;
    HttpTransport& operator=(const HttpTransport&) = delete;

    void start(ports::Exchange& exchange) override;
    void abort_all() override;

    std::size_t in_flight() const { return in_flight_.size(); }
    std::size_t idle() const { return pool_.idle(); }

  private:
    void on_exchange_end(Connection& connection) override;
    void on_nothing_sent(Connection& connection) override;
    void on_open(Connection& connection) override;
    void on_idle_end(Connection& connection) override;
    void on_turn_begin(Connection& connection, base::SteadyTime ends) override;
    void on_turn_end(Connection& connection) override;

    void start_on_new_connection(ports::Exchange& exchange);
    void open(Connection& connection);
    void open_next(const core::Origin& origin);
    void open_overdue(base::SteadyTime now);
    void take_over(Connection& connection, Connection& waiting);
    void on_addresses(Connection& connection, const ResolverAnswer& answer);
    void finish(Connection& connection);
    void finish_later(Connection& connection);

    void sweep();
    void sweep_at(base::SteadyTime due);
    void schedule_sweep();

    boost::asio::io_context& shard_;
    const core::AddressPolicy& policy_;
    Resolver& resolver_;
    ports::ExchangeListener& listener_;
    TlsSessions sessions_;
    std::unique_ptr<IoBuffers> buffers_;
    Poller poller_;
    ConnectionContext context_;
    ConnectionPool pool_;

    /// Deadlines are met by one timer for all, which is set for the earliest.
    DeadlineQueue<Connection, InFlightOrIdle> in_flight_;
    DeadlineQueue<Connection, ConnectionTurn> turns_;
    async::AsioScheduler scheduler_;
    std::unique_ptr<async::Timer> sweep_timer_;
    base::SteadyTime sweep_due_ = base::SteadyTime::max(); ///< what the timer is set for

    /// An exchange is being started: its end must not be told within.
    bool starting_ = false;
};

} // namespace docmap::net
