// The open connections of a shard: makes them, keeps idle ones for the next exchange with their origin,
// newest first, and closes those that are too many, idle for too long or ended. Lives on the shard's thread;
// owned by the transport. Stops with its destruction, which closes what is open.
#pragma once

#include "net/connection.hpp"
#include "net/deadline_queue.hpp"
#include "net/origin_hash.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <unordered_map>

namespace docmap::net {

struct PoolSettings {
    std::size_t max_idle = 1024;
    std::chrono::milliseconds idle_timeout{60000};
};

class ConnectionPool {
  public:
    ConnectionPool(PoolSettings settings, ConnectionContext& context)
        : settings_(settings), context_(context) {}

    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    /// A new connection to the exchange's origin; it stays until discard().
    Connection& create(ports::Exchange& exchange);

    /// An idle connection to `origin` that can still be used, or null. It is not idle for the pool any more.
    Connection* take(const core::Origin& origin, base::SteadyTime now);

    /// Lists a connection that has become idle. Where these are too many, the one idle for longest goes.
    void keep(Connection& connection, base::SteadyTime now);

    /// Closes the connection and gives it up; it may be gone afterwards.
    void discard(Connection& connection);

    void discard_expired(base::SteadyTime now);
    void discard_idle();

    bool has_idle() const { return !idle_.empty(); }
    std::size_t idle() const { return idle_.size(); }
    /// When discard_expired() is due. Only where something is idle.
    base::SteadyTime first_expiry() const { return idle_.first_due(); }

  private:
    using IdleList = boost::intrusive::list<Connection, boost::intrusive::base_hook<IdleHook>,
                                            boost::intrusive::constant_time_size<false>>;

    struct Origin {
        IdleList idle; ///< the newest first
        std::size_t connections = 0;
    };

    bool is_usable(Connection& connection, std::chrono::nanoseconds idle_for);
    void unlist(Connection& connection, Origin& origin);

    PoolSettings settings_;
    ConnectionContext& context_;
    std::unordered_map<core::Origin, Origin, OriginHash>
        origins_; ///< those with connections, which refer to the key
    DeadlineQueue<Connection, InFlightOrIdle> idle_;
};

} // namespace docmap::net
