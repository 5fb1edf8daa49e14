#include "component/net/test_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace docmap::test {
namespace {

void check(bool succeeded, const char* what) {
    if (!succeeded) throw std::runtime_error(std::string("test server: ") + what);
}

SSL_CTX* make_context(const Identity& identity) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    check(context != nullptr, "SSL_CTX_new");
    check(SSL_CTX_use_certificate(context, identity.certificate.get()) == 1, "certificate");
    check(SSL_CTX_use_PrivateKey(context, identity.key.get()) == 1, "key");
    if (identity.issuer) SSL_CTX_add1_chain_cert(context, identity.issuer.get());
    return context;
}

std::size_t content_length(std::string_view head) {
    const std::string_view name = "Content-Length: ";
    const auto place = head.find(name);
    if (place == std::string_view::npos) return 0;
    return std::stoul(std::string(head.substr(place + name.size(), 12)));
}

} // namespace

void OpenSockets::add(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    if (shut_down_) ::shutdown(socket, SHUT_RDWR);
}

void OpenSockets::close(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.remove(socket);
    ::close(socket);
}

void OpenSockets::shut_down_all() {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
    for (const int socket : sockets_)
        ::shutdown(socket, SHUT_RDWR);
}

ServerConnection::~ServerConnection() {
    close();
}

std::size_t ServerConnection::read_some() {
    if (socket_ < 0) return 0;
    std::array<char, 64 * 1024> buffer{};
    const auto size = ssl_ != nullptr ? SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()))
                                      : ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (size <= 0) return 0;
    received_.append(buffer.data(), static_cast<std::size_t>(size));
    return static_cast<std::size_t>(size);
}

std::string ServerConnection::read_request() {
    while (true) {
        const auto head_end = received_.find("\r\n\r\n");
        if (head_end != std::string::npos) {
            const std::size_t size = head_end + 4 + content_length(received_.substr(0, head_end + 2));
            if (received_.size() >= size) {
                std::string request = received_.substr(0, size);
                received_.erase(0, size);
                return request;
            }
        }
        if (read_some() == 0) return {};
    }
}

bool ServerConnection::write(std::string_view text) {
    while (!text.empty()) {
        if (socket_ < 0) return false;
        const auto size = ssl_ != nullptr ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                          : ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (size <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

void ServerConnection::wait_for_close() {
    while (read_some() > 0)
        received_.clear();
}

void ServerConnection::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void ServerConnection::close() {
    if (socket_ >= 0) open_.close(std::exchange(socket_, -1));
}

TestServer::TestServer(Script script, std::optional<Identity> identity, const std::string& address,
                       std::uint16_t port)
    : script_(std::move(script)) {
    std::signal(SIGPIPE, SIG_IGN); // NOLINT: OpenSSL's own socket calls on the server's side
    if (identity) tls_ = make_context(*identity);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &name.sin_addr);
    check(::bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0, "bind");
    check(::listen(listener_, 2048) == 0, "listen");
    socklen_t size = sizeof name;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

TestServer::~TestServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    open_.shut_down_all();
    for (std::thread& thread : threads_)
        thread.join();
    SSL_CTX_free(tls_);
}

void TestServer::accept_all() {
    while (!stopping_) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) continue;
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ++connections_;
        threads_.emplace_back([this, socket] { serve(socket); });
    }
}

void TestServer::serve(int socket) {
    open_.add(socket);
    SSL* ssl = nullptr;
    bool ready = true;
    if (tls_ != nullptr) {
        ssl = SSL_new(tls_);
        SSL_set_fd(ssl, socket);
        ready = SSL_accept(ssl) == 1;
        if (ready) ++handshakes_;
    }
    {
        ServerConnection connection(open_, socket, ssl);
        if (ready) script_(connection);
    }
    SSL_free(ssl);
}

TestServer::Script answer_with(std::string response) {
    return [response = std::move(response)](ServerConnection& connection) {
        while (!connection.read_request().empty())
            if (!connection.write(response)) return;
    };
}

} // namespace docmap::test
