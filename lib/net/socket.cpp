#include "net/socket.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

namespace docmap::net {
namespace {

IoResult failure(IoStatus when_busy) {
    const int error_number = errno;
    if (error_number == EAGAIN || error_number == EWOULDBLOCK) return {when_busy, 0, 0};
    return {IoStatus::failed, 0, error_number};
}

// What every delivery calls, without glibc's wrappers: these are cancellation points of threads, for which
// each call pays two atomic operations, and nobody cancels a thread here. Sanitizers have to see the calls.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

ssize_t call_recv(int socket, std::span<char> buffer) {
    return ::recv(socket, buffer.data(), buffer.size(), 0);
}

ssize_t call_send(int socket, std::string_view text) {
    return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
}

ssize_t call_sendmsg(int socket, const msghdr& message) {
    return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

#else

ssize_t call_recv(int socket, std::span<char> buffer) {
    return ::syscall(SYS_recvfrom, socket, buffer.data(), buffer.size(), 0, nullptr, nullptr);
}

ssize_t call_send(int socket, std::string_view text) {
    return ::syscall(SYS_sendto, socket, text.data(), text.size(), MSG_NOSIGNAL, nullptr, 0);
}

ssize_t call_sendmsg(int socket, const msghdr& message) {
    return ::syscall(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

#endif

iovec as_iovec(std::string_view text) {
    // sendmsg only reads what it is given, whatever its types say.
    return {const_cast<char*>(text.data()), text.size()};
}

} // namespace

int open_socket(const base::IpAddress& address) {
    const int family = address.is_v4() ? AF_INET : AF_INET6;
    const int socket = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (socket < 0) return -1;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

int start_connect(int socket, const base::IpAddress& address, std::uint16_t port) {
    sockaddr_storage storage{};
    socklen_t size = 0;
    if (address.is_v4()) {
        sockaddr_in target{};
        target.sin_family = AF_INET;
        target.sin_port = htons(port);
        std::ranges::copy(address.bytes(), reinterpret_cast<std::uint8_t*>(&target.sin_addr));
        std::memcpy(&storage, &target, sizeof target);
        size = sizeof target;
    } else {
        sockaddr_in6 target{};
        target.sin6_family = AF_INET6;
        target.sin6_port = htons(port);
        std::ranges::copy(address.bytes(), reinterpret_cast<std::uint8_t*>(&target.sin6_addr));
        std::memcpy(&storage, &target, sizeof target);
        size = sizeof target;
    }
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&storage), size) == 0) return 0;
    return errno == EINTR ? EINPROGRESS : errno;
}

int connect_error(int socket) {
    int error_number = 0;
    socklen_t size = sizeof error_number;
    if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error_number, &size) != 0) return errno;
    return error_number;
}

IoResult receive(int socket, std::span<char> buffer) {
    ssize_t received = 0;
    do {
        received = call_recv(socket, buffer);
    } while (received < 0 && errno == EINTR);
    if (received > 0) return {IoStatus::done, static_cast<std::size_t>(received), 0};
    if (received == 0) return {IoStatus::closed, 0, 0};
    return failure(IoStatus::want_read);
}

IoResult send(int socket, std::string_view text) {
    ssize_t sent = 0;
    do {
        sent = call_send(socket, text);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return {IoStatus::done, static_cast<std::size_t>(sent), 0};
    return failure(IoStatus::want_write);
}

IoResult send(int socket, std::string_view first, std::string_view second) {
    std::array<iovec, 2> parts = {as_iovec(first), as_iovec(second)};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ssize_t sent = 0;
    do {
        sent = call_sendmsg(socket, message);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return {IoStatus::done, static_cast<std::size_t>(sent), 0};
    return failure(IoStatus::want_write);
}

std::string error_text(int error_number) {
    if (error_number == EPIPE)
        return "Connection closed by the peer"; // a "broken pipe" says nothing to users
    return std::generic_category().message(error_number);
}

} // namespace docmap::net
