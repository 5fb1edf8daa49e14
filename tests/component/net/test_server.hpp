// A server that behaves as a test tells it to, well or badly: each connection is given to a script on a
// thread of its own. Listens on a free port of a loopback address. Stops with its destruction.
#pragma once

#include "component/net/certificates.hpp"

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace docmap::test {

/// The sockets that are open, so that a server can end what its scripts wait for.
class OpenSockets {
  public:
    void add(int socket);
    void close(int socket);

    /// Ends all connections, and those added from now on.
    void shut_down_all();

  private:
    std::mutex mutex_;
    std::list<int> sockets_;
    bool shut_down_ = false;
};

/// One accepted connection, used by its script. Calls give up once the server stops.
class ServerConnection {
  public:
    ServerConnection(OpenSockets& open, int socket, SSL* ssl) : open_(open), socket_(socket), ssl_(ssl) {}
    ~ServerConnection();

    ServerConnection(const ServerConnection&) = delete;
    ServerConnection& operator=(const ServerConnection&) = delete;

    /// Head and body of the next request; empty where the client closed instead.
    std::string read_request();

    /// False where the client is gone.
    bool write(std::string_view text);

    /// Waits for the client to close, reading whatever it sends.
    void wait_for_close();

    /// Closes with a reset, so that the client's next call fails.
    void reset();

    /// Closes as usual, at once.
    void close();

    bool tls_resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

  private:
    std::size_t read_some();

    OpenSockets& open_;
    int socket_;
    SSL* ssl_;
    std::string received_;
};

class TestServer {
  public:
    using Script = std::function<void(ServerConnection&)>;

    /// With an identity it speaks TLS.
    explicit TestServer(Script script, std::optional<Identity> identity = {},
                        const std::string& address = "127.0.0.1", std::uint16_t port = 0);
    ~TestServer();

    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }
    /// TLS handshakes that were completed.
    int handshakes() const { return handshakes_; }

  private:
    void accept_all();
    void serve(int socket);

    Script script_;
    SSL_CTX* tls_ = nullptr;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<int> connections_{0};
    std::atomic<int> handshakes_{0};
    OpenSockets open_;
    std::list<std::thread> threads_; ///< used by the accepting thread until it has ended
    std::thread acceptor_;
};

/// Answers every request on a connection with `response`.
TestServer::Script answer_with(std::string response);

/// A 200 without a body.
inline const std::string empty_ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Answers one request on each connection with `empty_ok`. The first connection is reset when told; others
/// stay. Outlives the server.
class ResetOnDemand {
  public:
    TestServer::Script script() {
        return [this](ServerConnection& connection) {
            connection.read_request();
            connection.write(empty_ok);
            if (is_reset_) return connection.wait_for_close();
            wanted_.wait(false);
            connection.reset();
            is_reset_ = true;
            is_reset_.notify_all();
        };
    }

    /// Resets the connection, and returns when that is done.
    void reset() {
        wanted_ = true;
        wanted_.notify_all();
        is_reset_.wait(false);
    }

  private:
    std::atomic<bool> wanted_{false};
    std::atomic<bool> is_reset_{false};
};

} // namespace docmap::test
