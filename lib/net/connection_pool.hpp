// The open connections of a shard: makes them, keeps idle ones for the next exchange with their origin,
// newest first, and closes those that are too many, idle for too long or ended. Where others are in use, a
// new one is not opened at once: it waits for one of them to become idle, and is opened where that does not
// happen soon. To an origin only so many are opened at the same time. Lives on the shard's thread; owned by
// the transport. Stops with its destruction, which closes what is open.
#pragma once

#include "net/connection.hpp"
#include "net/deadline_queue.hpp"
#include "net/origin_hash.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace docmap::net {

struct PoolSettings {
    std::size_t max_idle = 1024;
    std::chrono::milliseconds idle_timeout{60000};
    std::size_t max_opening = 16; ///< to one origin
    /// For one that is idle, before max_opening is exceeded; at most a quarter of the exchange's time.
    std::chrono::milliseconds connection_wait{200};
    /// How long those that wait are left alone, and how long a pause must be to say that waiting is in vain.
    /// Longer than a peer nearby takes to answer; short beside what it takes to open a connection to one far
    /// away.
    std::chrono::milliseconds inspection_interval{5};
};

struct WaitingInspection; ///< place among the origins whose waiting connections are looked at, by time

/// The connections to one origin.
struct OriginConnections : DeadlineHook<WaitingInspection> {
    using List = boost::intrusive::list<Connection, boost::intrusive::base_hook<PoolHook>,
                                        boost::intrusive::constant_time_size<false>>;

    List idle;    ///< the newest first
    List waiting; ///< the oldest first
    std::size_t opening = 0;
    std::size_t all = 0;
    bool one_was_served = false; ///< of those that wait, since the last inspection
};

class ConnectionPool {
  public:
    ConnectionPool(PoolSettings settings, ConnectionContext& context)
        : settings_(settings), context_(context) {}

    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    /// An idle connection to `origin` that can still be used, or null. It is not idle for the pool any more.
    Connection* take(const core::Origin& origin, base::SteadyTime now);

    /// A new connection to the exchange's origin; it stays until discard(). It is to be opened at once,
    /// unless it is_waiting().
    Connection& create(ports::Exchange& exchange, base::SteadyTime now);

    /// The same in place of a connection that was lost: it never waits.
    Connection& create_at_once(ports::Exchange& exchange);

    static bool is_waiting(const Connection& connection) {
        return connection.role == PoolHook::Role::waiting;
    }

    /// Whether a connection whose exchange has just ended can be used again.
    bool is_reusable(Connection& connection) {
        return connection.is_idle() && is_usable(connection, std::chrono::nanoseconds{0});
    }

    /// The one that has waited longest of those to the same origin, and can be served by `connection` now.
    /// Null where there is none.
    Connection* first_waiting_beside(Connection& connection);

    /// The one that has waited longest and is to be opened now, since few enough are. Null where there is
    /// none.
    Connection* next_to_open(const core::Origin& origin);

    /// Those that have waited for nothing and are to be opened now: where none was served for a while, as
    /// many as may be opened at once; and whoever has waited for `connection_wait`.
    std::vector<Connection*> overdue(base::SteadyTime now);

    bool has_waiting() const { return !inspections_.empty(); }
    /// When overdue() is due. Only where some wait.
    base::SteadyTime next_inspection() const { return inspections_.first_due(); }

    /// It is open. Those that wait go on waiting: it may soon be idle.
    void opened(Connection& connection);

    /// Lists a connection that has become idle.
    void keep(Connection& connection, base::SteadyTime now);

    /// Closes the connection and gives it up; it may be gone afterwards.
    void discard(Connection& connection);

    void discard_expired(base::SteadyTime now);
    void discard_idle();

    /// Those whose next exchange begins at the end of the turn are idle until then: nothing is too much at
    /// once.
    static constexpr std::chrono::milliseconds surplus_stays_for{5};

    /// Whether more are idle than may be.
    bool has_surplus() const { return idle_.size() > settings_.max_idle; }
    /// Closes those that are too many and have been idle for that long, the longest first.
    void discard_surplus(base::SteadyTime now);

    bool has_idle() const { return !idle_.empty(); }
    std::size_t idle() const { return idle_.size(); }
    /// When discard_expired() is due. Only where something is idle.
    base::SteadyTime first_expiry() const { return idle_.first_due(); }

  private:
    Connection& add(ports::Exchange& exchange);
    bool is_usable(Connection& connection, std::chrono::nanoseconds idle_for);
    base::SteadyTime end_of_wait(const ports::Exchange& exchange) const;
    bool may_open(const OriginConnections& siblings) const;
    void begin_opening(Connection& connection);
    void leave_role(Connection& connection);

    PoolSettings settings_;
    ConnectionContext& context_;
    std::unordered_map<core::Origin, OriginConnections, OriginHash>
        origins_; ///< those with connections, which refer to key and value
    DeadlineQueue<Connection, InFlightOrIdle> idle_;
    DeadlineQueue<OriginConnections, WaitingInspection> inspections_;
};

} // namespace docmap::net
