// The HTTP API's server: listens, accepts connections up to a limit, runs a session on each, stops in order.
// Lives on the thread of its executor, which runs all handlers too; owned by the daemon. `stop` ends it; it
// may be destroyed once `stopped` runs, or where `start` failed or was never called.
#pragma once

#include "api/application.hpp"
#include "api/session.hpp"
#include "async/task_group.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace docmap::api {

class Server {
  public:
    /// `executor` belongs to an io_context that one thread runs. The services outlive the server.
    Server(config::Api config, boost::asio::any_io_executor executor, const Services& services);

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens, and returns the port. Call once, on the executor's thread or before it runs. The error names
    /// the configuration key, the address and the reason.
    base::Result<std::uint16_t> start();

    /// Accepts nothing more, lets requests in progress end until `deadline`, then cuts them off. `stopped`
    /// runs on the executor when the last connection has ended; a call to a repository must have come back by
    /// then. Thread-safe; call once, after a successful `start`.
    void stop(base::SteadyTime deadline, std::function<void()> stopped);

  private:
    base::Result<void> open();
    boost::asio::awaitable<void> accept_connections();
    boost::asio::awaitable<void> wait_for_room();
    boost::asio::awaitable<void> serve(std::unique_ptr<Session> session);
    boost::asio::awaitable<void> drain(base::SteadyTime deadline);
    std::string address_text() const;

    config::Api config_;
    boost::asio::any_io_executor executor_;
    SessionLimits limits_;
    Application application_;
    std::unique_ptr<boost::asio::ssl::context> tls_; ///< null: plain HTTP
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer room_; ///< cancelled when a session ends or the server stops
    std::set<Session*> sessions_;    ///< accepted and not ended
    bool crowded_ = false;           ///< the limit on connections was reached and said
    bool stopping_ = false;
    async::TaskGroup session_tasks_;
    async::TaskGroup server_tasks_; ///< the accept loop and the drain
};

} // namespace docmap::api
