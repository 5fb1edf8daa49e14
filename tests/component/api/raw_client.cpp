#include "component/api/raw_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace docmap::test {

RawClient::RawClient(std::uint16_t port, Security security) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(socket_);
        throw std::runtime_error("connect failed");
    }
    if (security == Security::plain) return;
    context_.reset(SSL_CTX_new(TLS_client_method()));
    ssl_.reset(SSL_new(context_.get()));
    static constexpr unsigned char protocols[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    SSL_set_alpn_protos(ssl_.get(), protocols, sizeof protocols);
    SSL_set_fd(ssl_.get(), socket_);
    if (SSL_connect(ssl_.get()) != 1) {
        ::close(socket_);
        throw std::runtime_error("TLS handshake failed");
    }
}

RawClient::~RawClient() {
    ::close(socket_);
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                               : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void RawClient::shut_down_sending() {
    ::shutdown(socket_, SHUT_WR);
}

bool RawClient::read_more() {
    std::array<char, 4096> chunk;
    const auto size = ssl_ ? SSL_read(ssl_.get(), chunk.data(), static_cast<int>(chunk.size()))
                           : ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (size <= 0) return false;
    unread_.append(chunk.data(), static_cast<std::size_t>(size));
    return true;
}

RawResponse RawClient::read_response(bool without_body) {
    RawResponse response;
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos)
        if (!read_more()) return response;
    const std::string head = unread_.substr(0, end + 2);
    unread_.erase(0, end + 4);

    std::size_t line = head.find("\r\n") + 2;
    while (line < head.size()) {
        const std::size_t line_end = head.find("\r\n", line);
        const std::size_t colon = head.find(':', line);
        std::string name = head.substr(line, colon - line);
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        response.headers[name] = head.substr(colon + 2, line_end - colon - 2);
        line = line_end + 2;
    }
    const auto length = response.headers.find("content-length");
    const std::size_t size =
        without_body || length == response.headers.end() ? 0 : std::stoul(length->second);
    while (unread_.size() < size)
        if (!read_more()) return response;
    response.body = unread_.substr(0, size);
    unread_.erase(0, size);
    response.status = std::stoi(head.substr(head.find(' ') + 1));
    return response;
}

bool RawClient::is_closed_by_server() {
    if (!unread_.empty()) return false;
    errno = 0;
    const bool more = read_more();
    return !more && errno != EAGAIN && errno != EWOULDBLOCK;
}

std::string RawClient::tls_parameters() const {
    const unsigned char* protocol = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    return std::string(SSL_get_version(ssl_.get())) + ' ' +
           std::string(reinterpret_cast<const char*>(protocol), protocol == nullptr ? 0 : size);
}

} // namespace docmap::test
