// What one attempt to read from or write to a non-blocking connection gave.
#pragma once

#include <cstddef>
#include <cstdint>

namespace docmap::net {

enum class IoStatus : std::uint8_t {
    done,       ///< `bytes` were moved, at least one; for a handshake: it is complete
    want_read,  ///< nothing to do before the socket is readable
    want_write, ///< nothing to do before the socket is writable
    closed,     ///< the peer closed its side
    failed,     ///< the connection is unusable; `error_number` says why where the system did
};

struct IoResult {
    IoStatus status = IoStatus::failed;
    std::size_t bytes = 0;
    int error_number = 0; ///< errno, or 0
};

} // namespace docmap::net
