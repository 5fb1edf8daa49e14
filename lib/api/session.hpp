// One client connection, plain or TLS: reads requests one after the other, answers each, keeps the connection
// alive. Requests that a client sends ahead wait in the connection's buffer. Lives on the API's thread; owned
// by the server. Ends when the client closes, when a deadline passes, after `finish`, or at once on `abort`.
#pragma once

#include "api/application.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace docmap::api {

struct SessionLimits {
    std::size_t max_header_bytes = 16 * 1024;
    std::size_t max_body_bytes = 64 * 1024;
    /// For the TLS handshake; for the wait for a request; for a request from its first byte to its last; for
    /// sending a response. One deadline each: a client that drips bytes does not move it.
    std::chrono::milliseconds request_timeout{30000};
};

class Session {
  public:
    virtual ~Session() = default;

    /// Serves the connection until it ends. The session stays in place meanwhile.
    virtual boost::asio::awaitable<void> run() = 0;

    /// Ends the connection after the request in progress; at once where there is none.
    virtual void finish() = 0;

    /// Closes the connection now.
    virtual void abort() = 0;
};

/// `tls` is null for a plain connection. It and `application` outlive the session.
std::unique_ptr<Session> make_session(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
                                      Application& application, const SessionLimits& limits);

} // namespace docmap::api
