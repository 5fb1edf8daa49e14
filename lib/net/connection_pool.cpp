#include "net/connection_pool.hpp"

#include <algorithm>

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

Connection& ConnectionPool::create(ports::Exchange& exchange) {
    const auto place = origins_.try_emplace(*exchange.origin).first;
    auto* connection = new Connection(context_, place->first, exchange);
    ++place->second.connections;
    intrusive_ptr_add_ref(connection); // the pool's share, given up by discard()
    return *connection;
}

Connection* ConnectionPool::take(const core::Origin& origin, base::SteadyTime now) {
    auto place = origins_.find(origin);
    while (place != origins_.end() && !place->second.idle.empty()) {
        Connection& connection = place->second.idle.front();
        const auto idle_for = now - (idle_.due(connection) - settings_.idle_timeout);
        if (is_usable(connection, idle_for)) {
            unlist(connection, place->second);
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

void ConnectionPool::keep(Connection& connection, base::SteadyTime now) {
    origins_.find(connection.origin())->second.idle.push_front(connection);
    idle_.push(connection, now + settings_.idle_timeout);
    if (idle_.size() > settings_.max_idle) discard(idle_.front());
}

void ConnectionPool::unlist(Connection& connection, Origin& origin) {
    origin.idle.erase(origin.idle.iterator_to(connection));
    idle_.remove(connection);
}

void ConnectionPool::discard(Connection& connection) {
    const auto place = origins_.find(connection.origin());
    Origin& origin = place->second;
    if (connection.IdleHook::is_linked()) unlist(connection, origin);
    connection.close();
    if (--origin.connections == 0) origins_.erase(place);
    intrusive_ptr_release(&connection);
}

void ConnectionPool::discard_expired(base::SteadyTime now) {
    while (idle_.is_due(now))
        discard(idle_.front());
}

void ConnectionPool::discard_idle() {
    while (!idle_.empty())
        discard(idle_.front());
}

} // namespace docmap::net
