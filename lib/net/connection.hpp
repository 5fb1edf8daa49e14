// One TCP connection to an origin, with TLS where the origin has it, that carries one exchange at a time:
// connects, shakes hands, sends, receives, then waits for the next exchange. A state machine driven by
// readiness. Lives on its shard's thread. Owned by the transport while open, and by calls that are under way.
// Stops by close().
#pragma once

#include "base/time.hpp"
#include "core/response_parser.hpp"
#include "core/webhook.hpp"
#include "net/address_turns.hpp"
#include "net/deadline_queue.hpp"
#include "net/io_result.hpp"
#include "net/poller.hpp"
#include "net/resolver.hpp"
#include "net/tls_context.hpp"
#include "net/tls_sessions.hpp"
#include "net/tls_stream.hpp"
#include "ports/transport.hpp"

#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::net {

class Connection;

/// Where bytes pass through on their way; one per shard, since no two connections move bytes at the same
/// time.
struct IoBuffers {
    std::array<char, 16 * 1024> outgoing; ///< one TLS record
    std::array<char, 16 * 1024> incoming;
};

/// Hears from connections, on the shard's thread. May close or destroy them in the call.
class ConnectionOwner {
  public:
    virtual ~ConnectionOwner() = default;

    /// The result is in the exchange. The connection is idle or closed, and keeps the exchange until it is
    /// taken.
    virtual void on_exchange_end(Connection& connection) = 0;

    /// A kept connection turned out to be closed before anything was written: the exchange needs another one.
    virtual void on_nothing_sent(Connection& connection) = 0;

    /// The connection can carry requests now, the first of which is about to be sent.
    virtual void on_open(Connection& connection) = 0;

    /// The peer ended an idle connection. It is closed.
    virtual void on_idle_end(Connection& connection) = 0;

    /// The connection tries one of several addresses; turn_over() is due at `ends`, unless it comes to
    /// something.
    virtual void on_turn_begin(Connection& connection, base::SteadyTime ends) = 0;
    virtual void on_turn_end(Connection& connection) = 0;
};

/// What the connections of a shard share. Outlives them while they are open.
struct ConnectionContext {
    Poller& poller;
    const TlsContext& tls;
    TlsSessions& sessions;
    IoBuffers& buffers;
    ConnectionOwner& owner;
};

struct InFlightOrIdle; ///< place among those with an exchange by deadline, or among the idle ones by expiry
struct ConnectionTurn; ///< place among those that try one of several addresses
struct OfOrigin;       ///< place among those of its origin that wait, or among those that are idle
struct OriginConnections;

/// What the pool knows of a connection.
struct PoolHook : boost::intrusive::list_base_hook<boost::intrusive::tag<OfOrigin>> {
    enum class Role : std::uint8_t { waiting, opening, busy, idle };

    OriginConnections* siblings = nullptr;
    Role role = Role::busy;
};

class Connection final : public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter>,
                         public DeadlineHook<InFlightOrIdle>,
                         public DeadlineHook<ConnectionTurn>,
                         public PoolHook,
                         private SocketWatcher {
  public:
    /// For the first exchange; `origin` must outlive the connection. Does nothing until told to.
    Connection(ConnectionContext& context, const core::Origin& origin, ports::Exchange& exchange);

    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// The first step: the address is not known yet.
    void await_addresses(PendingLookupPtr lookup) { lookup_ = std::move(lookup); }

    /// Connects to the first of these that can be, in their order, then sends the exchange.
    void open(std::vector<base::IpAddress> addresses);

    /// Sends another exchange. Only while idle.
    void reuse(ports::Exchange& exchange);

    /// Whether the peer has left an idle connection alone: closed nothing and sent nothing.
    bool is_quiet();

    /// The address that is being connected to had its time: on to the next.
    void turn_over();

    /// The exchange met its deadline.
    void time_out();

    /// Ends the exchange with this error and closes the connection.
    void fail(std::string error);

    /// Frees socket and TLS. The owner hears nothing.
    void close();

    /// The exchange, which is the connection's no longer. Null where there was none.
    ports::Exchange* take_exchange() { return std::exchange(exchange_, nullptr); }
    ports::Exchange* exchange() const { return exchange_; }

    const core::Origin& origin() const { return origin_; }
    bool is_idle() const { return phase_ == Phase::idle; }
    bool is_closed() const { return phase_ == Phase::closed; }

    /// How long the peer said it keeps the connection idle, after the last response.
    std::optional<std::chrono::seconds> peer_idle_timeout() const { return parser_.idle_timeout(); }

  private:
    enum class Phase : std::uint8_t { resolving, connecting, handshaking, exchanging, idle, closed };

    void connect_next();
    bool try_connect(const base::IpAddress& address);
    void on_connected();
    void continue_handshake();
    void on_opened();
    void begin_exchange();
    void transmit();
    IoResult write_some();
    std::string_view next_record();
    void on_write_failure(int error_number);
    void receive();
    void on_response_end(bool may_have_more);
    void on_broken(int error_number);
    void end_exchange();
    void close_socket();

    std::size_t request_size() const { return exchange_->head.size() + exchange_->body.size(); }
    bool request_sent() const { return written_ == request_size(); }
    bool sent_anything() const { return tls_ ? tls_->sent_anything() : written_ > 0; }

    void on_ready(Readiness readiness) override;
    void on_readable();
    void on_writable();

    ConnectionContext& context_;
    const core::Origin& origin_;
    ports::Exchange* exchange_;
    int socket_ = -1;
    std::unique_ptr<TlsStream> tls_;
    PendingLookupPtr lookup_;
    AddressTurns turns_;
    core::ResponseParser parser_;
    std::size_t written_ = 0; ///< of head and body; for TLS in whole records
    int write_error_ = 0;     ///< why sending ended early, while a response is still looked for
    Phase phase_ = Phase::resolving;
    bool reused_ = false;          ///< the exchange is not the connection's first
    bool awaits_writable_ = false; ///< else being writable, as sockets mostly are, is no news
    bool peer_ended_ = false;      ///< nobody tells of that again
};

} // namespace docmap::net
