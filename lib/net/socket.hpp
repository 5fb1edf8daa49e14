// Non-blocking TCP sockets, as plain calls on file descriptors. Stateless; the caller owns the descriptor.
#pragma once

#include "base/ip_address.hpp"
#include "net/io_result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace docmap::net {

/// Creates a non-blocking socket with TCP_NODELAY that can reach `address`. -1 with errno set on failure.
int open_socket(const base::IpAddress& address);

/// Begins to connect. 0: connected; EINPROGRESS: writable once decided; else the reason why not.
int start_connect(int socket, const base::IpAddress& address, std::uint16_t port);

/// How the connecting ended: 0, or the reason why not.
int connect_error(int socket);

IoResult receive(int socket, std::span<char> buffer);

/// Sends as much as the socket takes. Never raises SIGPIPE.
IoResult send(int socket, std::string_view text);

/// Sends the two texts one behind the other in one call, as far as the socket takes them. Never raises
/// SIGPIPE.
IoResult send(int socket, std::string_view first, std::string_view second);

/// `Connection refused` and the like.
std::string error_text(int error_number);

} // namespace docmap::net
