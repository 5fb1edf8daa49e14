#include "api/tls_context.hpp"

#include <boost/system/error_code.hpp>
#include <openssl/ssl.h>

#include <string_view>
#include <utility>

namespace docmap::api {

namespace ssl = boost::asio::ssl;

namespace {

base::Error file_error(const char* key, const std::string& file, const boost::system::error_code& error) {
    return {"api." + std::string(key) + ": " + file + ": " + error.message()};
}

/// Takes `http/1.1` where the client offers it; goes on without ALPN (RFC 7301) where it does not.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
    static constexpr unsigned char http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* match = nullptr;
    if (SSL_select_next_proto(&match, chosen_size, http11, sizeof http11, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *chosen = match;
    return SSL_TLSEXT_ERR_OK;
}

} // namespace

base::Result<std::unique_ptr<ssl::context>> make_tls_context(const std::string& certificate_file,
                                                             const std::string& key_file) {
    auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
    SSL_CTX* const native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // A connection that waits for its client keeps no buffers.
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);

    boost::system::error_code error;
    context->use_certificate_chain_file(certificate_file, error);
    if (error) return file_error("tls_certificate", certificate_file, error);
    context->use_private_key_file(key_file, ssl::context::pem, error);
    if (error) return file_error("tls_key", key_file, error);
    if (SSL_CTX_check_private_key(native) != 1)
        return base::Error{"api.tls_key: " + key_file + ": does not belong to the certificate in " +
                           certificate_file};
    return context;
}

} // namespace docmap::api
