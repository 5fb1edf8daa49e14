#include "net/tls_context.hpp"

#include "net/tls_stream.hpp"

#include <openssl/err.h>

#include <array>
#include <cerrno>
#include <new>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace docmap::net {
namespace {

/// The protocols offered by ALPN (RFC 7301), each with its length in front.
constexpr std::array<unsigned char, 9> http_1_1 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string why_unreadable(const std::string& file) {
    if (::access(file.c_str(), R_OK) != 0) return std::generic_category().message(errno);
    return "it holds no certificate in PEM form";
}

} // namespace

base::Result<TlsContext> TlsContext::create(const std::string& ca_file) {
    ERR_clear_error();
    SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    if (!context) throw std::bad_alloc();
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_alpn_protos(raw, http_1_1.data(), static_cast<unsigned>(http_1_1.size()));

    // Connections that wait keep no buffer. A read-ahead takes a whole record with one call instead of two. A
    // read goes on behind a session ticket, as nobody is told again of what follows it.
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(raw, 1);

    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);

    // Sessions are kept per shard and origin instead of in here, where a lock would guard them.
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw, &TlsStream::on_new_session);

    // A system without authorities is no error: `ca_file` may name the only ones that matter.
    SSL_CTX_set_default_verify_paths(raw);
    if (!ca_file.empty() && SSL_CTX_load_verify_file(raw, ca_file.c_str()) != 1) {
        ERR_clear_error();
        return base::Error{"delivery.ca_file = \"" + ca_file +
                           "\" cannot be used: " + why_unreadable(ca_file) +
                           "; name a readable file with PEM certificates, or leave it empty"};
    }
    ERR_clear_error();
    return TlsContext(std::move(context));
}

} // namespace docmap::net
