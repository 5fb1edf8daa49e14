// An HTTP client that sends exactly the bytes it is given. Blocking; every wait ends after ten seconds.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace docmap::test {

struct RawResponse {
    int status = 0; ///< 0: the connection ended before a response was complete
    std::map<std::string, std::string, std::less<>> headers; ///< names in lower case
    std::string body;
};

class RawClient {
  public:
    enum class Security { plain, tls };

    /// Connects to 127.0.0.1. With TLS the certificate is not verified. Throws where that fails.
    explicit RawClient(std::uint16_t port, Security security = Security::plain);
    ~RawClient();

    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// Sends all of `bytes`. False where the server closed before it took them.
    bool send(std::string_view bytes);

    /// Tells the server that nothing more comes.
    void shut_down_sending();

    /// Reads one response. `without_body` for the answer to HEAD.
    RawResponse read_response(bool without_body = false);

    /// True once the server has closed and nothing unread is left; false after ten seconds.
    bool is_closed_by_server();

    /// TLS version and ALPN protocol agreed on, such as `TLSv1.3 http/1.1`.
    std::string tls_parameters() const;

  private:
    struct SslFree {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    struct ContextFree {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };

    /// Appends what comes next to `unread_`. False at the end of the connection.
    bool read_more();

    int socket_ = -1;
    std::unique_ptr<SSL_CTX, ContextFree> context_;
    std::unique_ptr<SSL, SslFree> ssl_;
    std::string unread_;
};

} // namespace docmap::test
