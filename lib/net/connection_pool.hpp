// The open connections of a shard: makes them, keeps idle ones for the next exchange with their origin,
// newest first, and closes those that are too many, idle for too long or ended. To an origin only so many are
// opened at the same time; further ones wait, in order, until one is idle in their place or it is their turn
// to be opened. Lives on the shard's thread; owned by the transport. Stops with its destruction, which closes
// what is open.
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
    std::size_t max_opening = 16;                   ///< to one origin
    std::chrono::milliseconds connection_wait{200}; ///< for one that is idle, before max_opening is exceeded
};

/// The connections to one origin.
struct OriginConnections {
    using List = boost::intrusive::list<Connection, boost::intrusive::base_hook<PoolHook>,
                                        boost::intrusive::constant_time_size<false>>;

    List idle;    ///< the newest first
    List waiting; ///< the oldest first
    std::size_t opening = 0;
    std::size_t all = 0;
};

class ConnectionPool {
  public:
    ConnectionPool(PoolSettings settings, ConnectionContext& context)
        : settings_(settings), context_(context) {}

    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    const PoolSettings& settings() const { return settings_; }

    /// An idle connection to `origin` that can still be used, or null. It is not idle for the pool any more.
    Connection* take(const core::Origin& origin, base::SteadyTime now);

    /// A new connection to the exchange's origin; it stays until discard(). It is to be opened at once,
    /// unless it is_waiting().
    Connection& create(ports::Exchange& exchange);

    static bool is_waiting(const Connection& connection) {
        return connection.role == PoolHook::Role::waiting;
    }

    /// Whether a connection whose exchange has just ended can be used again.
    bool is_reusable(Connection& connection) {
        return connection.is_idle() && is_usable(connection, std::chrono::nanoseconds{0});
    }

    /// The one that has waited longest of those to the same origin. Null where there is none.
    Connection* first_waiting_beside(Connection& connection);

    /// The one that has waited longest and is to be opened now, since few enough are. Null where there is
    /// none.
    Connection* next_to_open(const core::Origin& origin);

    /// One that waits is opened now, no matter how many are.
    void begin_opening(Connection& connection);

    /// It is open. Those that wait go on waiting: it may soon be idle.
    void opened(Connection& connection);

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
    bool is_usable(Connection& connection, std::chrono::nanoseconds idle_for);
    bool may_open(const OriginConnections& siblings) const;
    void leave_role(Connection& connection);

    PoolSettings settings_;
    ConnectionContext& context_;
    std::unordered_map<core::Origin, OriginConnections, OriginHash>
        origins_; ///< those with connections, which refer to key and value
    DeadlineQueue<Connection, InFlightOrIdle> idle_;
};

} // namespace docmap::net
