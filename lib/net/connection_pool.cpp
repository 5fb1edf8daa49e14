#include "net/connection_pool.hpp"

#include <algorithm>
#include <utility>

namespace docmap::net {
namespace {

using namespace std::chrono_literals;

/// Of a connection idle for less than this, readiness has told in time whether the peer ended it.
constexpr std::chrono::milliseconds trusted_for = 100ms;

/// How long to use a connection that the peer keeps for `timeout`: a request takes time to arrive.
constexpr std::chrono::nanoseconds usable_for(std::chrono::seconds timeout) {
    return timeout - std::min<std::chrono::nanoseconds>(1s, std::chrono::nanoseconds(timeout) / 2);
}

} // namespace

using Role = PoolHook::Role;

Connection* ConnectionPool::take(const core::Origin& origin, base::SteadyTime now) {
    auto place = origins_.find(origin);
    while (place != origins_.end() && !place->second.idle.empty()) {
        Connection& connection = place->second.idle.front();
        const auto idle_for = now - (idle_.due(connection) - settings_.idle_timeout);
        if (is_usable(connection, idle_for)) {
            leave_role(connection);
            return &connection;
        }
        discard(connection);
        place = origins_.find(origin);
    }
    return nullptr;
}

bool ConnectionPool::is_usable(Connection& connection, std::chrono::nanoseconds idle_for) {
    if (const auto timeout = connection.peer_idle_timeout(); timeout && idle_for >= usable_for(*timeout))
        return false;
    return idle_for < trusted_for || connection.is_quiet();
}

Connection& ConnectionPool::add(ports::Exchange& exchange) {
    const auto place = origins_.try_emplace(*exchange.origin).first;
    auto* connection = new Connection(context_, place->first, exchange);
    connection->siblings = &place->second;
    ++place->second.all;
    intrusive_ptr_add_ref(connection); // the pool's share, given up by discard()
    return *connection;
}

Connection& ConnectionPool::create(ports::Exchange& exchange, base::SteadyTime now) {
    Connection& connection = add(exchange);
    OriginConnections& siblings = *connection.siblings;
    const bool others_are_opening = siblings.opening == siblings.all - 1;
    if ((others_are_opening && may_open(siblings)) || end_of_wait(exchange) <= now) {
        begin_opening(connection);
        return connection;
    }
    if (siblings.waiting.empty()) {
        siblings.one_was_served = false;
        inspections_.push(siblings, now + settings_.inspection_interval);
    }
    connection.role = Role::waiting;
    siblings.waiting.push_back(connection);
    return connection;
}

Connection& ConnectionPool::create_at_once(ports::Exchange& exchange) {
    Connection& connection = add(exchange);
    begin_opening(connection);
    return connection;
}

/// A quarter of its time at most, so that who waits in vain has time left to connect.
base::SteadyTime ConnectionPool::end_of_wait(const ports::Exchange& exchange) const {
    const base::SteadyTime::duration quarter = (exchange.deadline - exchange.start_time) / 4;
    return exchange.start_time + std::min<base::SteadyTime::duration>(settings_.connection_wait, quarter);
}

bool ConnectionPool::may_open(const OriginConnections& siblings) const {
    return siblings.opening < settings_.max_opening;
}

Connection* ConnectionPool::first_waiting_beside(Connection& connection) {
    OriginConnections& siblings = *connection.siblings;
    if (siblings.waiting.empty()) return nullptr;
    siblings.one_was_served = true;
    return &siblings.waiting.front();
}

Connection* ConnectionPool::next_to_open(const core::Origin& origin) {
    const auto place = origins_.find(origin);
    if (place == origins_.end()) return nullptr;
    OriginConnections& siblings = place->second;
    if (siblings.waiting.empty() || !may_open(siblings)) return nullptr;
    Connection& connection = siblings.waiting.front();
    begin_opening(connection);
    return &connection;
}

std::vector<Connection*> ConnectionPool::overdue(base::SteadyTime now) {
    std::vector<Connection*> connections;
    while (inspections_.is_due(now)) {
        OriginConnections& origin = inspections_.front();
        const bool in_vain = !std::exchange(origin.one_was_served, false);
        while (!origin.waiting.empty()) {
            Connection& first = origin.waiting.front();
            const bool waited = now >= end_of_wait(*first.exchange());
            if (!waited && !(in_vain && may_open(origin))) break;
            begin_opening(first);
            connections.push_back(&first);
        }
        if (origin.waiting.empty()) continue; // and not listed any more
        inspections_.remove(origin);
        inspections_.push(origin, now + settings_.inspection_interval);
    }
    return connections;
}

void ConnectionPool::begin_opening(Connection& connection) {
    leave_role(connection);
    connection.role = Role::opening;
    ++connection.siblings->opening;
}

void ConnectionPool::opened(Connection& connection) {
    leave_role(connection);
}

void ConnectionPool::keep(Connection& connection, base::SteadyTime now) {
    connection.role = Role::idle;
    connection.siblings->idle.push_front(connection);
    idle_.push(connection, now + settings_.idle_timeout);
}

/// It is busy afterwards.
void ConnectionPool::leave_role(Connection& connection) {
    OriginConnections& siblings = *connection.siblings;
    switch (std::exchange(connection.role, Role::busy)) {
    case Role::waiting:
        siblings.waiting.erase(siblings.waiting.iterator_to(connection));
        if (siblings.waiting.empty()) inspections_.remove(siblings);
        return;
    case Role::opening:
        --siblings.opening;
        return;
    case Role::idle:
        siblings.idle.erase(siblings.idle.iterator_to(connection));
        idle_.remove(connection);
        return;
    case Role::busy:
        return;
    }
}

void ConnectionPool::discard(Connection& connection) {
    leave_role(connection);
    connection.close();
    if (--connection.siblings->all == 0) origins_.erase(origins_.find(connection.origin()));
    intrusive_ptr_release(&connection);
}

void ConnectionPool::discard_expired(base::SteadyTime now) {
    while (idle_.is_due(now))
        discard(idle_.front());
}

void ConnectionPool::discard_surplus(base::SteadyTime now) {
    while (has_surplus() && now - (idle_.first_due() - settings_.idle_timeout) >= surplus_stays_for)
        discard(idle_.front());
}

void ConnectionPool::discard_idle() {
    while (!idle_.empty())
        discard(idle_.front());
}

} // namespace docmap::net
