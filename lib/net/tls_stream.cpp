#include "net/tls_stream.hpp"

#include "base/ip_address.hpp"
#include "net/socket.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <new>
#include <utility>

namespace docmap::net {
namespace {

/// The host as certificates name it: without the dot that marks a name as absolute.
std::string certificate_name(const std::string& host) {
    return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

void expect_host(SSL* ssl, const std::string& host) {
    X509_VERIFY_PARAM* const verification = SSL_get0_param(ssl);
    if (base::IpAddress::from_string(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(verification, host.c_str());
        return;
    }
    const std::string name = certificate_name(host);
    X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(verification, name.c_str(), name.size());
    SSL_set_tlsext_host_name(ssl, name.c_str());
}

/// So that SSL_get_error() (its manual page) sees none of an earlier call. Clearing costs more than looking.
void forget_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

} // namespace

TlsStream::TlsStream(const TlsContext& context, int socket, const core::Origin& origin, TlsSessions& sessions)
    : channel_{.socket = socket}, origin_(origin), sessions_(sessions), ssl_(SSL_new(context.get())) {
    if (!ssl_) throw std::bad_alloc();
    BIO* const bio = make_socket_bio(channel_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_connect_state(ssl_.get());
    expect_host(ssl_.get(), origin.host);
    if (const SslSessionPtr session = sessions.take(origin)) SSL_set_session(ssl_.get(), session.get());
}

TlsStream::~TlsStream() {
    // Freed in any other state, an SSL marks its session as not resumable, which is kept for later.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

IoResult TlsStream::handshake() {
    forget_errors();
    const IoResult result = result_of(SSL_do_handshake(ssl_.get()));
    if (result.status == IoStatus::done) SSL_free_buffers(ssl_.get());
    return result;
}

IoResult TlsStream::read(std::span<char> buffer) {
    forget_errors();
    const IoResult result = result_of(SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size())));
    // A session ticket makes OpenSSL set up buffers which it would keep while the response is waited for.
    if (result.status == IoStatus::want_read) SSL_free_buffers(ssl_.get());
    return result;
}

IoResult TlsStream::write(std::string_view text) {
    forget_errors();
    return result_of(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())));
}

IoResult TlsStream::result_of(int returned) {
    if (returned > 0) return {IoStatus::done, static_cast<std::size_t>(returned), 0};
    switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
        return {IoStatus::want_read, 0, 0};
    case SSL_ERROR_WANT_WRITE:
        return {IoStatus::want_write, 0, 0};
    case SSL_ERROR_ZERO_RETURN:
        return {IoStatus::closed, 0, 0};
    default:
        break;
    }
    // An end without goodbye is as good as one with it: HTTP's framing tells where a message ends.
    if (channel_.peer_closed) return {IoStatus::closed, 0, 0};
    library_error_ = ERR_reason_error_string(ERR_peek_error());
    return {IoStatus::failed, 0, channel_.error_number};
}

std::string TlsStream::handshake_error() const {
    const long verification = SSL_get_verify_result(ssl_.get());
    if (verification != X509_V_OK) return X509_verify_cert_error_string(verification);
    if (channel_.error_number != 0) return error_text(channel_.error_number);
    if (channel_.peer_closed) return error_text(EPIPE);
    return error();
}

std::string TlsStream::error() const {
    return library_error_ == nullptr ? "protocol error" : library_error_;
}

void TlsStream::say_goodbye() {
    forget_errors();
    SSL_shutdown(ssl_.get());
}

int TlsStream::on_new_session(SSL* ssl, SSL_SESSION* session) {
    auto& stream = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
    stream.sessions_.put(stream.origin_, SslSessionPtr(session));
    return 1; // the reference is kept
}

} // namespace docmap::net
