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

/// Sets a flag while it lives.
class Starting {
  public:
    explicit Starting(bool& flag) : flag_(flag), before_(std::exchange(flag, true)) {}
    ~Starting() { flag_ = before_; }

    Starting(const Starting&) = delete;
    Starting& operator=(const Starting&) = delete;

  private:
    bool& flag_;
    bool before_;
};

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
    const Starting starting(starting_);
    if (const ConnectionPtr idle(pool_.take(*exchange.origin, exchange.start_time)); idle) {
        in_flight_.push(*idle, exchange.deadline);
        idle->reuse(exchange);
    } else {
        start_on_new_connection(exchange);
    }
    sweep_at(exchange.deadline);
}

void HttpTransport::start_on_new_connection(ports::Exchange& exchange) {
    const ConnectionPtr connection(&pool_.create(exchange, exchange.start_time));
    in_flight_.push(*connection, exchange.deadline);
    if (ConnectionPool::is_waiting(*connection))
        sweep_at(pool_.next_inspection());
    else
        open(*connection);
}

void HttpTransport::open(Connection& connection) {
    const std::string& host = connection.origin().host;
    if (const ResolverAnswerPtr known = resolver_.find(host)) return on_addresses(connection, *known);
    connection.await_addresses(
        resolver_.ask(host, shard_, [this, asking = &connection](const ResolverAnswer& answer) {
            on_addresses(*asking, answer); // not called once the connection is closed
        }));
}

/// After a connection to `origin` has ended or could not be opened.
void HttpTransport::open_next(const core::Origin& origin) {
    const Starting starting(starting_);
    const ConnectionPtr next(pool_.next_to_open(origin));
    if (next) open(*next);
}

void HttpTransport::open_overdue(base::SteadyTime now) {
    const Starting starting(starting_); // so that none is gone when its turn comes
    for (Connection* connection : pool_.overdue(now))
        open(*connection);
}

/// The exchange of one that waits goes out on `connection`, which is idle.
void HttpTransport::take_over(Connection& connection, Connection& waiting) {
    const Starting starting(starting_);
    ports::Exchange& exchange = *waiting.take_exchange();
    in_flight_.replace(waiting, connection);
    pool_.discard(waiting);
    connection.reuse(exchange);
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
    if (!pool_.is_reusable(connection)) {
        const bool makes_room = !ConnectionPool::is_waiting(connection);
        pool_.discard(connection);
        if (makes_room) open_next(*exchange.origin);
    } else if (Connection* waiting = pool_.first_waiting_beside(connection)) {
        take_over(connection, *waiting);
    } else {
        pool_.keep(connection, exchange.end_time);
        sweep_at(pool_.has_surplus() ? exchange.end_time + ConnectionPool::surplus_stays_for
                                     : pool_.first_expiry());
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
    const Starting starting(starting_);
    ports::Exchange& exchange = *connection.take_exchange();
    in_flight_.remove(connection);
    pool_.discard(connection);
    const ConnectionPtr instead(&pool_.create_at_once(exchange));
    in_flight_.push(*instead, exchange.deadline);
    open(*instead);
}

void HttpTransport::on_open(Connection& connection) {
    pool_.opened(connection);
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
    std::vector<ports::Exchange*> aborted;
    while (!in_flight_.empty()) {
        Connection& connection = in_flight_.front();
        in_flight_.remove(connection);
        aborted.push_back(connection.take_exchange());
        pool_.discard(connection);
    }
    pool_.discard_idle();
    // Only now: the listener may start others.
    for (ports::Exchange* exchange : aborted) {
        exchange->result = {};
        exchange->result.aborted = true;
        exchange->end_time = Clock::now();
        listener_.on_exchange_done(*exchange);
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
    open_overdue(now);
    pool_.discard_expired(now);
    pool_.discard_surplus(now);
    schedule_sweep();
}

void HttpTransport::schedule_sweep() {
    const base::SteadyTime soonest = Clock::now() + sweep_interval;
    if (!turns_.empty()) sweep_at(std::max(turns_.first_due(), soonest));
    if (!in_flight_.empty()) sweep_at(std::max(in_flight_.first_due(), soonest));
    if (pool_.has_waiting()) sweep_at(std::max(pool_.next_inspection(), soonest));
    if (pool_.has_idle()) sweep_at(std::max(pool_.first_expiry(), soonest));
    if (pool_.has_surplus()) sweep_at(soonest);
}

void HttpTransport::sweep_at(base::SteadyTime due) {
    if (due >= sweep_due_) return;
    sweep_due_ = due;
    sweep_timer_->set(due);
}

} // namespace docmap::net
