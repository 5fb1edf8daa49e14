#include "net/http_transport.hpp"

#include <boost/asio/post.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace docmap::net {
namespace {

using Clock = base::SteadyTime::clock;

/// Sweeps come no closer together than this; so late, at most, a deadline is met.
constexpr std::chrono::milliseconds sweep_interval{5};

/// A session takes some kilobytes, with the certificates of its peer.
constexpr std::size_t max_origins_with_sessions = 1024;
constexpr std::size_t max_sessions_per_origin = 4;

using ConnectionPtr = boost::intrusive_ptr<Connection>;

} // namespace

HttpTransport::HttpTransport(PoolSettings settings, boost::asio::io_context& shard, const TlsContext& tls,
                             const core::AddressPolicy& policy, Resolver& resolver,
                             ports::ExchangeListener& listener)
    : shard_(shard), policy_(policy), resolver_(resolver), listener_(listener),
      sessions_(max_origins_with_sessions, max_sessions_per_origin), buffers_(std::make_unique<IoBuffers>()),
      poller_(shard), context_{poller_, tls, sessions_, *buffers_, *this}, pool_(settings, context_),
      scheduler_(shard), sweep_timer_(scheduler_.make_timer([this] { sweep(); })) {}

HttpTransport::~HttpTransport() {
    while (!in_flight_.empty()) {
        Connection& connection = in_flight_.front();
        in_flight_.remove(connection);
        connection.take_exchange();
        pool_.discard(connection);
    }
    pool_.discard_idle();
}

void HttpTransport::start(ports::Exchange& exchange) {
    starting_ = true;
    if (const ConnectionPtr idle(pool_.take(*exchange.origin, exchange.start_time)); idle) {
        in_flight_.push(*idle, exchange.deadline);
        idle->reuse(exchange);
    } else {
        start_on_new_connection(exchange);
    }
    sweep_at(exchange.deadline);
    starting_ = false;
}

void HttpTransport::start_on_new_connection(ports::Exchange& exchange) {
    const ConnectionPtr connection(&pool_.create(exchange));
    in_flight_.push(*connection, exchange.deadline);
    const std::string& host = exchange.origin->host;
    if (const ResolverAnswerPtr known = resolver_.find(host)) return on_addresses(*connection, *known);
    connection->await_addresses(
        resolver_.ask(host, shard_, [this, waiting = connection.get()](const ResolverAnswer& answer) {
            on_addresses(*waiting, answer); // not called once the connection is closed
        }));
}

void HttpTransport::on_addresses(Connection& connection, const ResolverAnswer& answer) {
    const ConnectionPtr in_use(&connection); // it may be discarded in here
    if (answer.addresses.empty()) return connection.fail(answer.error);
    std::vector<base::IpAddress> allowed;
    std::string first_refusal;
    for (const base::IpAddress& address : answer.addresses) {
        std::optional<std::string> refusal = policy_.refusal(address);
        if (!refusal)
            allowed.push_back(address);
        else if (first_refusal.empty())
            first_refusal = std::move(*refusal);
    }
    if (allowed.empty()) {
        connection.exchange()->result.blocked = true;
        return connection.fail("Blocked: " + first_refusal);
    }
    connection.open(std::move(allowed));
}

void HttpTransport::on_exchange_end(Connection& connection) {
    if (starting_)
        finish_later(connection);
    else
        finish(connection);
}

void HttpTransport::finish(Connection& connection) {
    ports::Exchange& exchange = *connection.take_exchange();
    exchange.end_time = Clock::now();
    in_flight_.remove(connection);
    if (connection.is_idle()) {
        pool_.keep(connection, exchange.end_time);
        sweep_at(pool_.first_expiry());
    } else {
        pool_.discard(connection);
    }
    listener_.on_exchange_done(exchange);
}

void HttpTransport::finish_later(Connection& connection) {
    boost::asio::post(shard_, [this, ended = ConnectionPtr(&connection)] {
        // Without its exchange it was aborted or destroyed meanwhile, perhaps with this transport.
        if (ended->exchange() != nullptr) finish(*ended);
    });
}

void HttpTransport::on_nothing_sent(Connection& connection) {
    ports::Exchange& exchange = *connection.take_exchange();
    in_flight_.remove(connection);
    pool_.discard(connection);
    start_on_new_connection(exchange);
}

void HttpTransport::on_idle_end(Connection& connection) {
    pool_.discard(connection);
}

void HttpTransport::on_turn_begin(Connection& connection, base::SteadyTime ends) {
    turns_.push(connection, ends);
    sweep_at(ends);
}

void HttpTransport::on_turn_end(Connection& connection) {
    turns_.remove(connection);
}

void HttpTransport::abort_all() {
    std::vector<ConnectionPtr> aborted;
    while (!in_flight_.empty()) {
        aborted.emplace_back(&in_flight_.front());
        in_flight_.remove(in_flight_.front());
    }
    pool_.discard_idle();
    // Only now: the listener may start others.
    for (const ConnectionPtr& connection : aborted) {
        ports::Exchange& exchange = *connection->take_exchange();
        pool_.discard(*connection);
        exchange.result = {};
        exchange.result.aborted = true;
        exchange.end_time = Clock::now();
        listener_.on_exchange_done(exchange);
    }
}

void HttpTransport::sweep() {
    const base::SteadyTime now = Clock::now();
    sweep_due_ = base::SteadyTime::max();
    while (turns_.is_due(now)) {
        const ConnectionPtr connection(&turns_.front());
        connection->turn_over();
    }
    while (in_flight_.is_due(now)) {
        const ConnectionPtr connection(&in_flight_.front());
        if (connection->is_closed())
            finish(*connection);
        else
            connection->time_out();
    }
    pool_.discard_expired(now);
    schedule_sweep();
}

void HttpTransport::schedule_sweep() {
    const base::SteadyTime soonest = Clock::now() + sweep_interval;
    if (!turns_.empty()) sweep_at(std::max(turns_.first_due(), soonest));
    if (!in_flight_.empty()) sweep_at(std::max(in_flight_.first_due(), soonest));
    if (pool_.has_idle()) sweep_at(std::max(pool_.first_expiry(), soonest));
}

void HttpTransport::sweep_at(base::SteadyTime due) {
    if (due >= sweep_due_) return;
    sweep_due_ = due;
    sweep_timer_->set(due);
}

} // namespace docmap::net
