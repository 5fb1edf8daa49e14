// Owning pointers for OpenSSL's objects.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace docmap::net {

struct OpensslDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslDeleter>;
using SslPtr = std::unique_ptr<SSL, OpensslDeleter>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, OpensslDeleter>;

} // namespace docmap::net
