// How OpenSSL reaches a socket: as its own socket BIO does, but without SIGPIPE, and remembering what
// happened, so that a reset, an end of stream and a request of which nothing was sent can be told apart
// afterwards. A channel lives beside its SSL, on the same thread, and outlives it.
#pragma once

#include <openssl/types.h>

namespace docmap::net {

struct SocketChannel {
    int socket = -1;
    int error_number = 0;         ///< errno of the call that failed, or 0
    bool filled_buffer = false;   ///< the last read took as much as was asked for: there may be more
    bool peer_closed = false;     ///< the end of the stream was read
    bool sent_since_mark = false; ///< bytes have left since this was last cleared
};

/// A new BIO over `channel`, which must outlive it. Throws std::bad_alloc.
BIO* make_socket_bio(SocketChannel& channel);

} // namespace docmap::net
