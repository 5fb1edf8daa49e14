// Certificates, names, sessions, and handshakes that fail.
#include "component/net/transport_fixture.hpp"

#include <atomic>
#include <fstream>
#include <thread>
#include <utility>

namespace docmap::test {
namespace {

class TlsTest : public TransportTest {
  protected:
    std::string handshake_error(const Identity& identity, const std::string& host = "a.test") {
        TestServer server(answer_with(empty_ok), identity);
        const ports::ExchangeResult result = exchange(https(server, host));
        EXPECT_EQ(result.http_status, 0);
        return result.error;
    }
};

TEST_F(TlsTest, a_certificate_of_a_trusted_authority_is_accepted) {
    TestServer server(answer_with(empty_ok), authority().issue("DNS:a.test"));
    EXPECT_EQ(exchange(https(server)).error, "");
}

TEST_F(TlsTest, a_certificate_for_an_address_is_accepted) {
    TestServer server(answer_with(empty_ok), authority().issue("IP:127.0.0.1"));
    EXPECT_EQ(exchange(https(server, "127.0.0.1")).error, "");
}

TEST_F(TlsTest, a_certificate_for_a_wildcard_is_accepted) {
    TestServer server(answer_with(empty_ok), authority().issue("DNS:*.b.test"));
    EXPECT_EQ(exchange(https(server, "a.b.test")).error, "");
}

TEST_F(TlsTest, an_expired_certificate_is_refused) {
    EXPECT_EQ(handshake_error(authority().issue("DNS:a.test", -1)),
              "TLS handshake failed: certificate has expired");
}

TEST_F(TlsTest, a_self_signed_certificate_is_refused) {
    EXPECT_EQ(handshake_error(CertificateAuthority::self_signed("DNS:a.test")),
              "TLS handshake failed: self-signed certificate");
}

TEST_F(TlsTest, a_certificate_for_another_name_is_refused) {
    EXPECT_EQ(handshake_error(authority().issue("DNS:b.test")), "TLS handshake failed: hostname mismatch");
}

TEST_F(TlsTest, a_certificate_for_another_address_is_refused) {
    EXPECT_EQ(handshake_error(authority().issue("DNS:a.test"), "127.0.0.1"),
              "TLS handshake failed: IP address mismatch");
}

TEST_F(TlsTest, a_certificate_of_an_unknown_authority_is_refused) {
    const CertificateAuthority unknown;
    Identity identity = unknown.issue("DNS:a.test");
    EXPECT_EQ(handshake_error(identity),
              "TLS handshake failed: self-signed certificate in certificate chain");
    identity.issuer = nullptr;
    EXPECT_EQ(handshake_error(identity), "TLS handshake failed: unable to get local issuer certificate");
}

TEST_F(TlsTest, a_server_that_speaks_no_tls_is_reported) {
    TestServer server([](ServerConnection& connection) {
        connection.write("HTTP/1.1 400 Bad Request\r\n\r\n");
        connection.wait_for_close();
    });
    EXPECT_EQ(exchange(https(server)).error, "TLS handshake failed: wrong version number");
}

TEST_F(TlsTest, a_connection_closed_within_the_handshake_is_reported) {
    TestServer closing([](ServerConnection&) {});
    const std::string error = exchange(https(closing)).error;
    EXPECT_TRUE(error == "TLS handshake failed: Connection closed by the peer" ||
                error == "TLS handshake failed: Connection reset by peer")
        << error;
}

TEST_F(TlsTest, sessions_are_resumed) {
    std::atomic<int> resumed = 0;
    TestServer server(
        [&](ServerConnection& connection) {
            resumed += connection.tls_resumed() ? 1 : 0;
            connection.read_request();
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            connection.wait_for_close();
        },
        authority().issue("DNS:a.test"));
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(exchange(https(server)).http_status, 200);
    EXPECT_EQ(server.handshakes(), 4);
    EXPECT_EQ(resumed, 3);
}

TEST_F(TlsTest, sessions_of_one_origin_are_not_used_for_another) {
    std::atomic<int> resumed = 0;
    TestServer server(
        [&](ServerConnection& connection) {
            resumed += connection.tls_resumed() ? 1 : 0;
            connection.read_request();
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            connection.wait_for_close();
        },
        authority().issue("DNS:a.test"));
    EXPECT_EQ(exchange(https(server, "a.test")).http_status, 200);
    EXPECT_EQ(exchange(https(server, "b.test")).error, "TLS handshake failed: hostname mismatch");
    EXPECT_EQ(resumed, 0);
}

TEST_F(TlsTest, a_megabyte_is_sent_in_records) {
    std::string received;
    std::atomic<bool> done = false;
    TestServer server(
        [&](ServerConnection& connection) {
            received = connection.read_request();
            done = true;
            connection.write(empty_ok);
            connection.wait_for_close();
        },
        authority().issue("DNS:a.test"));
    std::string content;
    for (int i = 0; content.size() < 1024 * 1024; ++i)
        content += std::to_string(i) + ' ';
    const TestExchange& sent = send(https(server), 5s, content);
    ASSERT_TRUE(run_until_done(sent));
    EXPECT_EQ(sent.result.http_status, 200);
    ASSERT_TRUE(done);
    EXPECT_TRUE(received == sent.head + content);
}

TEST(TlsContextTest, an_unreadable_ca_file_is_an_error_that_names_it) {
    config::Delivery config;
    config.ca_file = "/does/not/exist.pem";
    const auto network = net::Network::create(config, 1);
    ASSERT_TRUE(network.has_error());
    EXPECT_EQ(network.error().message,
              "delivery.ca_file = \"/does/not/exist.pem\" cannot be used: No such file or directory; "
              "name a readable file with PEM certificates, or leave it empty");
}

TEST(TlsContextTest, a_ca_file_without_a_certificate_is_an_error) {
    const std::string file = testing::TempDir() + "docmap-empty-ca.pem";
    std::ofstream(file) << "not a certificate\n";
    config::Delivery config;
    config.ca_file = file;
    const auto network = net::Network::create(config, 1);
    ASSERT_TRUE(network.has_error());
    EXPECT_NE(network.error().message.find("it holds no certificate in PEM form"), std::string::npos);
}

} // namespace
} // namespace docmap::test
