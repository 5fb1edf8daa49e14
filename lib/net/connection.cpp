#include "net/connection.hpp"

#include "core/verdict.hpp"
#include "net/socket.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <algorithm>
#include <cerrno>
#include <span>
#include <unistd.h>
#include <utility>

namespace docmap::net {

Connection::Connection(ConnectionContext& context, const core::Origin& origin, ports::Exchange& exchange)
    : context_(context), origin_(origin), exchange_(&exchange) {}

Connection::~Connection() {
    if (socket_ >= 0) close_socket();
}

void Connection::open(std::vector<base::IpAddress> addresses) {
    lookup_.reset();
    turns_ = AddressTurns(std::move(addresses), exchange_->deadline);
    phase_ = Phase::connecting;
    connect_next();
}

void Connection::connect_next() {
    while (const base::IpAddress* address = turns_.next())
        if (try_connect(*address)) return;
    fail(error_text(turns_.error_number()));
}

/// True where the address is connected to or may yet be.
bool Connection::try_connect(const base::IpAddress& address) {
    const int socket = open_socket(address);
    if (socket < 0) {
        turns_.failed(errno);
        return false;
    }
    const int connecting = start_connect(socket, address, origin_.port);
    if (connecting != 0 && connecting != EINPROGRESS) {
        turns_.failed(connecting);
        ::close(socket);
        return false;
    }
    if (const int unwatched = context_.poller.watch(socket, *this); unwatched != 0) {
        turns_.failed(unwatched);
        ::close(socket);
        return false;
    }
    socket_ = socket;
    if (connecting == 0) {
        on_connected();
        return true;
    }
    if (!turns_.is_last())
        context_.owner.on_turn_begin(*this, turns_.turn_ends(base::SteadyTime::clock::now()));
    awaits_writable_ = true;
    return true;
}

void Connection::turn_over() {
    turns_.failed(ETIMEDOUT);
    close_socket();
    connect_next();
}

void Connection::on_connected() {
    turns_ = {};
    context_.owner.on_turn_end(*this);
    if (!origin_.https) return on_opened();
    tls_ = std::make_unique<TlsStream>(context_.tls, socket_, origin_, context_.sessions);
    phase_ = Phase::handshaking;
    continue_handshake();
}

void Connection::continue_handshake() {
    switch (tls_->handshake().status) {
    case IoStatus::done:
        return on_opened();
    case IoStatus::want_read:
        return;
    case IoStatus::want_write:
        awaits_writable_ = true;
        return;
    default:
        return fail("TLS handshake failed: " + tls_->handshake_error());
    }
}

void Connection::on_opened() {
    context_.owner.on_open(*this);
    begin_exchange();
}

void Connection::reuse(ports::Exchange& exchange) {
    exchange_ = &exchange;
    reused_ = true;
    begin_exchange();
}

bool Connection::is_quiet() {
    std::array<char, 1> unasked{};
    const IoResult result = tls_ ? tls_->read(unasked) : net::receive(socket_, unasked);
    return result.status == IoStatus::want_read;
}

void Connection::begin_exchange() {
    phase_ = Phase::exchanging;
    parser_.reset();
    written_ = 0;
    write_error_ = 0;
    if (tls_) tls_->mark_unsent();
    transmit();
}

void Connection::transmit() {
    while (!request_sent()) {
        const IoResult result = write_some();
        if (result.status == IoStatus::done) {
            written_ += result.bytes;
            continue;
        }
        if (result.status != IoStatus::want_write) return on_write_failure(result.error_number);
        awaits_writable_ = true;
        break;
    }
    if (peer_ended_) receive();
}

IoResult Connection::write_some() {
    if (tls_) return tls_->write(next_record());
    const std::string_view head = exchange_->head;
    const std::string_view body = exchange_->body;
    return send(socket_, head.substr(std::min(written_, head.size())),
                body.substr(written_ - std::min(written_, head.size())));
}

/// What is sent next: head and body in one piece, so that a small request is a single TLS record.
std::string_view Connection::next_record() {
    const std::string_view head = exchange_->head;
    const std::string_view body = exchange_->body;
    auto& record = context_.buffers.outgoing;
    if (written_ >= head.size()) return body.substr(written_ - head.size(), record.size());
    const std::size_t head_size = head.copy(record.data(), record.size(), written_);
    const std::size_t body_size = body.copy(record.data() + head_size, record.size() - head_size);
    return {record.data(), head_size + body_size};
}

void Connection::on_write_failure(int error_number) {
    if (reused_ && !sent_anything()) {
        close();
        return context_.owner.on_nothing_sent(*this);
    }
    // The peer may have answered before it closed.
    write_error_ = error_number == 0 ? EPIPE : error_number;
    receive();
}

/// Takes what has arrived, until nothing more is there. Where that is known, the call that would find nothing
/// is spared.
void Connection::receive() {
    const std::span<char> buffer = context_.buffers.incoming;
    while (true) {
        const IoResult result = tls_ ? tls_->read(buffer) : net::receive(socket_, buffer);
        switch (result.status) {
        case IoStatus::done:
            parser_.feed({buffer.data(), result.bytes});
            break;
        case IoStatus::closed:
            if (write_error_ == ECONNRESET && parser_.untouched()) return on_broken(write_error_);
            parser_.end_of_stream();
            break;
        case IoStatus::want_read:
            if (write_error_ != 0) return on_broken(write_error_);
            return;
        case IoStatus::want_write:
            awaits_writable_ = true;
            return;
        case IoStatus::failed:
            return on_broken(result.error_number);
        }
        const bool filled = tls_ ? tls_->may_have_more() : result.bytes == buffer.size();
        const bool may_have_more = filled || peer_ended_;
        using State = core::ResponseParser::State;
        if (parser_.state() == State::complete || parser_.state() == State::failed)
            return on_response_end(may_have_more);
        if (!may_have_more && write_error_ == 0) return;
    }
}

void Connection::on_response_end(bool may_have_more) {
    const bool all_read = !may_have_more || is_quiet();
    if (!parser_.keep_alive() || !request_sent() || !all_read) return end_exchange();

    ports::ExchangeResult& result = exchange_->result;
    result.http_status = parser_.status();
    result.retry_after = parser_.retry_after();
    phase_ = Phase::idle;
    context_.owner.on_exchange_end(*this);
}

/// Ends the exchange as far as it came, and the connection with it.
void Connection::end_exchange() {
    ports::ExchangeResult& result = exchange_->result;
    if (parser_.head_complete()) {
        result.http_status = parser_.status();
        result.retry_after = parser_.retry_after();
    } else if (result.error.empty()) {
        result.error = parser_.error();
    }
    close();
    context_.owner.on_exchange_end(*this);
}

void Connection::on_broken(int error_number) {
    fail(error_number != 0 ? error_text(error_number) : "TLS connection failed: " + tls_->error());
}

void Connection::time_out() {
    fail(std::string(core::timeout_error));
}

void Connection::fail(std::string error) {
    if (!parser_.head_complete()) exchange_->result.error = std::move(error);
    end_exchange();
}

void Connection::close() {
    if (phase_ == Phase::closed) return;
    if (tls_ && phase_ == Phase::idle) tls_->say_goodbye();
    if (lookup_) lookup_->cancel();
    lookup_.reset();
    turns_ = {};
    close_socket();
    phase_ = Phase::closed;
}

void Connection::close_socket() {
    tls_.reset();
    context_.owner.on_turn_end(*this);
    awaits_writable_ = false;
    peer_ended_ = false;
    if (socket_ < 0) return;
    context_.poller.forget(*this);
    ::close(std::exchange(socket_, -1));
}

/// Both are acted on, as neither is told again. What has become of the connection in between ignores what it
/// does not wait for.
void Connection::on_ready(Readiness readiness) {
    const boost::intrusive_ptr<Connection> in_use(this);
    peer_ended_ = readiness.ended;
    if (readiness.writable && std::exchange(awaits_writable_, false)) on_writable();
    if (readiness.readable) on_readable();
}

void Connection::on_readable() {
    switch (phase_) {
    case Phase::handshaking:
        return continue_handshake();
    case Phase::exchanging:
        return receive();
    case Phase::idle:
        if (is_quiet()) return;
        close();
        return context_.owner.on_idle_end(*this);
    default:
        return;
    }
}

void Connection::on_writable() {
    switch (phase_) {
    case Phase::connecting:
        if (const int error_number = connect_error(socket_); error_number != 0) {
            turns_.failed(error_number);
            close_socket();
            return connect_next();
        }
        return on_connected();
    case Phase::handshaking:
        return continue_handshake();
    case Phase::exchanging:
        return request_sent() ? receive() : transmit();
    default:
        return;
    }
}

} // namespace docmap::net
