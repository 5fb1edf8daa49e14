// TLS on one connected socket, with OpenSSL working on the socket itself: no copies in between, and no buffer
// kept while waiting. Never blocks. Lives on its connection's thread; the connection owns it and the socket.
#pragma once

#include "core/webhook.hpp"
#include "net/io_result.hpp"
#include "net/openssl_ptr.hpp"
#include "net/socket_bio.hpp"
#include "net/tls_context.hpp"
#include "net/tls_sessions.hpp"

#include <span>
#include <string>
#include <string_view>

namespace docmap::net {

class TlsStream {
  public:
    /// `origin` and `sessions` must outlive the stream. Names and verifies the origin's host.
    TlsStream(const TlsContext& context, int socket, const core::Origin& origin, TlsSessions& sessions);
    ~TlsStream();

    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    IoResult handshake();
    IoResult read(std::span<char> buffer);

    /// Writes one record at most; after `want_*` the same text, or a longer one that begins so, has to
    /// follow.
    IoResult write(std::string_view text);

    /// After a read: bytes may wait inside, or in the socket, of which nobody is told any more.
    bool may_have_more() const { return channel_.filled_buffer || SSL_has_pending(ssl_.get()) == 1; }

    /// From now on `sent_anything` tells whether bytes have left.
    void mark_unsent() { channel_.sent_since_mark = false; }
    bool sent_anything() const { return channel_.sent_since_mark; }

    /// Why the handshake failed, such as `certificate has expired`.
    std::string handshake_error() const;

    /// Why the connection broke, where the system had no error.
    std::string error() const;

    /// Tells the peer that nothing follows (RFC 8446, section 6.1), where that is possible at once.
    void say_goodbye();

    /// OpenSSL's callback for every session a peer grants.
    static int on_new_session(SSL* ssl, SSL_SESSION* session);

  private:
    IoResult result_of(int returned);

    SocketChannel channel_;
    const core::Origin& origin_;
    TlsSessions& sessions_;
    const char* library_error_ = nullptr; ///< OpenSSL's reason for the last failure, where it has one
    SslPtr ssl_;
};

} // namespace docmap::net
