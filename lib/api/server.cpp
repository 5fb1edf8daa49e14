#include "api/server.hpp"

#include "api/tls_context.hpp"
#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

namespace docmap::api {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds accept_retry_delay{100};

/// Takes a session out of the set when it ends, whatever way it ends.
class Registration {
  public:
    Registration(std::set<Session*>& sessions, Session* session, asio::steady_timer& room)
        : sessions_(sessions), session_(session), room_(room) {}
    ~Registration() {
        sessions_.erase(session_);
        room_.cancel();
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

  private:
    std::set<Session*>& sessions_;
    Session* session_;
    asio::steady_timer& room_;
};

} // namespace

Server::Server(config::Api config, asio::any_io_executor executor, const Services& services)
    : config_(std::move(config)), executor_(std::move(executor)), application_(services),
      acceptor_(executor_), room_(executor_, base::SteadyTime::max()),
      session_tasks_(executor_, "api sessions"), server_tasks_(executor_, "api server") {
    limits_.max_body_bytes = config_.max_body_bytes;
    limits_.request_timeout = config_.request_timeout;
}

base::Result<std::uint16_t> Server::start() {
    if (!config_.tls_certificate.empty()) {
        auto context = make_tls_context(config_.tls_certificate, config_.tls_key);
        if (!context) return context.error();
        tls_ = std::move(*context);
    }
    if (const base::Result<void> opened = open(); !opened) return opened.error();
    const std::uint16_t port = acceptor_.local_endpoint().port();
    server_tasks_.spawn(accept_connections());
    base::log::info("API listens",
                    {{"address", config_.listen_address}, {"port", port}, {"tls", tls_ != nullptr}});
    return port;
}

base::Result<void> Server::open() {
    boost::system::error_code error;
    const asio::ip::address address = asio::ip::make_address(config_.listen_address, error);
    if (error) return base::Error{"api.listen: " + config_.listen_address + ": is not an IP address"};
    const tcp::endpoint endpoint(address, config_.listen_port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return base::Error{"api.listen: " + address_text() + ": " + error.message()};
    return {};
}

std::string Server::address_text() const {
    const bool is_v6 = config_.listen_address.find(':') != std::string::npos;
    const std::string host = is_v6 ? '[' + config_.listen_address + ']' : config_.listen_address;
    return host + ':' + std::to_string(config_.listen_port);
}

asio::awaitable<void> Server::accept_connections() {
    bool failing = false;
    while (!stopping_) {
        co_await wait_for_room();
        if (stopping_) break;
        auto [error, socket] = co_await acceptor_.async_accept(as_result);
        if (stopping_) break;
        if (error) {
            if (!std::exchange(failing, true))
                base::log::warning("API cannot accept connections; trying again",
                                   {{"error", error.message()}});
            asio::steady_timer pause(executor_, accept_retry_delay);
            co_await pause.async_wait(as_result);
            continue;
        }
        failing = false;
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        std::unique_ptr<Session> session = make_session(std::move(socket), tls_.get(), application_, limits_);
        sessions_.insert(session.get());
        session_tasks_.spawn(serve(std::move(session)));
    }
}

asio::awaitable<void> Server::wait_for_room() {
    // Said once per rush, which is over when a quarter of the room is free again.
    if (sessions_.size() < config_.max_connections - config_.max_connections / 4) crowded_ = false;
    if (sessions_.size() < config_.max_connections) co_return;
    if (!std::exchange(crowded_, true))
        base::log::warning("API has as many connections as it may; others wait",
                           {{"api.max_connections", config_.max_connections}});
    while (sessions_.size() >= config_.max_connections && !stopping_)
        co_await room_.async_wait(as_result);
}

asio::awaitable<void> Server::serve(std::unique_ptr<Session> session) {
    const Registration registration(sessions_, session.get(), room_);
    co_await session->run();
}

void Server::stop(base::SteadyTime deadline, std::function<void()> stopped) {
    asio::post(executor_, [this, deadline, stopped = std::move(stopped)]() mutable {
        server_tasks_.spawn(drain(deadline));
        server_tasks_.when_empty(std::move(stopped));
    });
}

asio::awaitable<void> Server::drain(base::SteadyTime deadline) {
    stopping_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    room_.cancel();
    for (Session* session : sessions_)
        session->finish();
    const bool finished = co_await session_tasks_.join(deadline);
    if (!finished) {
        base::log::warning("API cuts off requests at the drain deadline", {{"requests", sessions_.size()}});
        for (Session* session : sessions_)
            session->abort();
        session_tasks_.cancel();
        co_await session_tasks_.join(base::SteadyTime::max());
    }
}

} // namespace docmap::api
