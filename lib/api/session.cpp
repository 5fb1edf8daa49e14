#include "api/session.hpp"

#include "base/log.hpp"
#include "base/time.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/version.hpp>

#include <array>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace docmap::api {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

using boost::system::error_code;

constexpr std::size_t read_chunk_bytes = 4096;
constexpr std::chrono::seconds goodbye_timeout{1};
constexpr std::size_t max_goodbye_bytes = 256 * 1024;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

using PlainStream = beast::tcp_stream;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;
using Parser = http::request_parser<http::string_body>;

/// The answer to a request that could not be read; nothing where the client is gone or too slow.
std::optional<ApiError> explain(const error_code& error, const SessionLimits& limits) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        return headers_too_large(limits.max_header_bytes);
    if (error == http::error::body_limit) return payload_too_large(limits.max_body_bytes);
    if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
    const error_code any_http_error = http::error::end_of_stream;
    const auto& http_errors = any_http_error.category();
    if (error.category() != http_errors) return std::nullopt;
    return malformed_request(error.message());
}

/// What RFC 9112 asks for and the parser does not check.
std::optional<ApiError> check_head(const Parser& parser) {
    const auto& head = parser.get();
    if (head.version() == 11 && head.count(http::field::host) != 1)
        return malformed_request("exactly one Host header is required");
    // Any other coding leaves it open where the body ends.
    if (head.count(http::field::transfer_encoding) > 0 &&
        !beast::iequals(head[http::field::transfer_encoding], "chunked"))
        return malformed_request("the only Transfer-Encoding supported is chunked");
    return std::nullopt;
}

template<typename Stream>
class StreamSession final : public Session, private BodyReader {
  public:
    StreamSession(Stream stream, Application& application, const SessionLimits& limits)
        : stream_(std::move(stream)), application_(application), limits_(limits),
          buffer_(buffer_bytes(limits)) {}

    asio::awaitable<void> run() override {
        if (finishing_) co_return;
        // Each result is named first: g++ 12 miscompiles `co_await` behind `&&`.
        const bool secured = co_await handshake();
        if (!secured) co_return;
        bool alive = true;
        // A request that has begun is still answered: the client was told that the connection stays.
        while (alive && (!finishing_ || buffer_.size() > 0)) {
            const bool requested = co_await wait_for_request();
            if (!requested) break;
            alive = co_await serve_request();
        }
        co_await say_goodbye(!alive);
    }

    void finish() override {
        finishing_ = true;
        if (idle_) tcp().cancel();
    }

    void abort() override {
        finishing_ = true;
        tcp().close();
    }

  private:
    static constexpr bool is_tls = std::is_same_v<Stream, TlsStream>;

    static std::size_t buffer_bytes(const SessionLimits& limits) {
        return limits.max_header_bytes + 2 * read_chunk_bytes;
    }

    beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream_); }

    asio::awaitable<bool> handshake() {
        if constexpr (is_tls) {
            tcp().expires_after(limits_.request_timeout);
            idle_ = true;
            const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
            idle_ = false;
            if (error) {
                base::log::debug("API client failed the TLS handshake", {{"error", error.message()}});
                co_return false;
            }
        }
        co_return true;
    }

    /// False where the client closed or stayed silent for too long.
    asio::awaitable<bool> wait_for_request() {
        if (buffer_.size() > 0) co_return true; // sent ahead
        tcp().expires_after(limits_.request_timeout);
        idle_ = true;
        const auto [error, size] =
            co_await stream_.async_read_some(buffer_.prepare(read_chunk_bytes), as_result);
        idle_ = false;
        buffer_.commit(size);
        co_return !error;
    }

    /// False where the connection must end.
    asio::awaitable<bool> serve_request() {
        tcp().expires_after(limits_.request_timeout); // for the whole request; nothing below sets it again
        lost_ = false;
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
        parser_->body_limit(boost::none); // judged once the client is known
        const auto [error, size] = co_await http::async_read_header(stream_, buffer_, *parser_, as_result);
        const std::optional<ApiError> refusal = error ? explain(error, limits_) : check_head(*parser_);
        if (refusal) {
            Response response = error_response(*refusal);
            co_await send(std::move(response), false);
        }
        if (error || refusal) co_return false;
        Response response = co_await application_.answer(parser_->get().base(), *this);
        if (lost_) co_return false;
        // An unread body would be taken for the next request.
        const bool keep_alive = parser_->is_done() && parser_->keep_alive() && !finishing_;
        const bool sent = co_await send(std::move(response), keep_alive);
        co_return sent&& keep_alive;
    }

    asio::awaitable<ApiResult<std::string>> read() override {
        const auto length = parser_->content_length();
        if (length && *length > limits_.max_body_bytes) co_return payload_too_large(limits_.max_body_bytes);
        parser_->body_limit(limits_.max_body_bytes);
        if (!parser_->is_done() && beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(go_on), as_result);
            if (error) co_return connection_lost();
        }
        if (!parser_->is_done()) {
            const auto [error, size] = co_await http::async_read(stream_, buffer_, *parser_, as_result);
            if (error) {
                std::optional<ApiError> refusal = explain(error, limits_);
                if (!refusal) co_return connection_lost();
                co_return std::move(*refusal);
            }
        }
        co_return std::move(parser_->get().body());
    }

    /// Stands in for an answer that nobody will read.
    ApiError connection_lost() {
        lost_ = true;
        return malformed_request("the connection ended inside the body");
    }

    /// False where the response could not be sent.
    asio::awaitable<bool> send(Response response, bool keep_alive) {
        const auto& request = parser_->get();
        const bool is_head = request.method() == http::verb::head;
        const Framing framing{request.version() == 10 ? 10U : 11U, keep_alive};
        http::response<http::string_body> message = to_http(std::move(response), framing, base::system_now());
        http::response_serializer<http::string_body> serializer(message);
        tcp().expires_after(limits_.request_timeout);
        if (is_head) {
            const auto [error, size] = co_await http::async_write_header(stream_, serializer, as_result);
            co_return !error;
        }
        const auto [error, size] = co_await http::async_write(stream_, serializer, as_result);
        co_return !error;
    }

    /// Closes in order. Closing with unread bytes in the socket would make the kernel send a reset, which can
    /// destroy a response before the client has read it: behind one (`answered`) such bytes are read and
    /// dropped.
    asio::awaitable<void> say_goodbye(bool answered) {
        tcp().expires_after(goodbye_timeout);
        if constexpr (is_tls) co_await stream_.async_shutdown(as_result);
        error_code ignored;
        tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
        std::array<char, read_chunk_bytes> dropped;
        for (std::size_t total = 0; answered && total < max_goodbye_bytes;) {
            const auto [error, size] = co_await tcp().async_read_some(asio::buffer(dropped), as_result);
            if (error) break;
            total += size;
        }
        tcp().close();
    }

    Stream stream_;
    Application& application_;
    SessionLimits limits_;
    beast::flat_buffer buffer_;
    std::optional<Parser> parser_; ///< of the request in progress
    bool idle_ = false;            ///< no request is in progress: waiting for the first byte of one
    bool lost_ = false;            ///< the client went away inside a request
    bool finishing_ = false;
};

} // namespace

std::unique_ptr<Session> make_session(asio::ip::tcp::socket socket, asio::ssl::context* tls,
                                      Application& application, const SessionLimits& limits) {
    PlainStream stream(std::move(socket));
    if (tls == nullptr)
        return std::make_unique<StreamSession<PlainStream>>(std::move(stream), application, limits);
    return std::make_unique<StreamSession<TlsStream>>(TlsStream(std::move(stream), *tls), application,
                                                      limits);
}

} // namespace docmap::api
