// Exchanges that succeed: what is sent, the framings of responses, many at once, and which addresses may be
// called.
#include "component/net/transport_fixture.hpp"

#include <atomic>
#include <mutex>

namespace docmap::test {
namespace {

class ExchangeTest : public TransportTest {
  protected:
    ports::ExchangeResult exchange_with(const std::string& response) {
        TestServer server(answer_with(response));
        return exchange(http(server));
    }
};

TEST_F(ExchangeTest, head_and_body_arrive_byte_for_byte) {
    std::mutex mutex;
    std::string received;
    const auto script = [&](ServerConnection& connection) {
        {
            const std::lock_guard lock(mutex);
            received = connection.read_request();
        }
        connection.write(empty_ok);
        connection.wait_for_close();
    };
    TestServer plain(script);
    TestServer tls(script, authority().issue("DNS:a.test"));
    for (const core::Origin& origin : {http(plain), https(tls)}) {
        const std::string content("\0\x01\xff text", 8);
        const TestExchange& sent = send(origin, 5s, content);
        ASSERT_TRUE(run_until_done(sent));
        const std::lock_guard lock(mutex);
        EXPECT_EQ(received, sent.head + content);
    }
}

TEST_F(ExchangeTest, a_large_body_is_sent_whole) {
    std::string received;
    std::atomic<bool> done = false;
    TestServer server([&](ServerConnection& connection) {
        received = connection.read_request();
        done = true;
        connection.write(empty_ok);
        connection.wait_for_close();
    });
    const TestExchange& sent = send(http(server), 5s, std::string(8 * 1024 * 1024, 'x'));
    ASSERT_TRUE(run_until_done(sent));
    ASSERT_TRUE(done);
    EXPECT_TRUE(received == sent.head + sent.content);
    EXPECT_EQ(idle(), 1U);
}

TEST_F(ExchangeTest, every_status_is_reported_as_it_is) {
    for (const int status : {200, 204, 301, 404, 500, 503}) {
        const std::string response = "HTTP/1.1 " + std::to_string(status) +
                                     " Any\r\nContent-Length: 0\r\nLocation: http://b.test/\r\n\r\n";
        const ports::ExchangeResult result = exchange_with(response);
        EXPECT_EQ(result.http_status, status);
        EXPECT_EQ(result.error, "");
        EXPECT_EQ(idle(), 1U);
        transport_->abort_all();
    }
}

TEST_F(ExchangeTest, retry_after_is_passed_on) {
    const ports::ExchangeResult result =
        exchange_with("HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(result.retry_after, "120");
}

TEST_F(ExchangeTest, a_chunked_response_leaves_the_connection_usable) {
    TestServer server(answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"));
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(ExchangeTest, a_response_in_single_bytes_is_read) {
    TestServer server([](ServerConnection& connection) {
        while (!connection.read_request().empty())
            for (const char letter : std::string("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"))
                connection.write({&letter, 1});
    });
    EXPECT_EQ(exchange(http(server)).http_status, 201);
    EXPECT_EQ(exchange(http(server)).http_status, 201);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(ExchangeTest, a_large_response_over_tls_is_read_whole) {
    TestServer server(
        answer_with("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + std::string(60000, 'x')),
        authority().issue("DNS:a.test"));
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(exchange(https(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(ExchangeTest, a_body_until_the_end_of_the_connection_is_read) {
    TestServer server([](ServerConnection& connection) {
        connection.read_request();
        connection.write("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    });
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(idle(), 0U);
}

TEST_F(ExchangeTest, a_thousand_exchanges_run_at_once) {
    std::atomic<int> waiting = 0;
    std::atomic<bool> answer = false;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        ++waiting;
        while (!answer)
            std::this_thread::sleep_for(5ms);
        connection.write(empty_ok);
        connection.wait_for_close();
    });
    constexpr int total = 1000;
    int succeeded = 0;
    int ended = 0;
    on_done_ = [&](const TestExchange& exchange) {
        ++ended;
        succeeded += exchange.result.http_status == 200 ? 1 : 0;
    };
    for (int i = 0; i < total; ++i)
        send(http(server), 60s);
    ASSERT_TRUE(run_until([&] { return waiting == total; }, 40s));
    EXPECT_EQ(in_flight(), static_cast<std::size_t>(total));
    answer = true;
    ASSERT_TRUE(run_until([&] { return ended == total; }, 40s));
    EXPECT_EQ(succeeded, total);
}

TEST_F(ExchangeTest, a_blocked_address_is_not_called) {
    config_.allow_networks = {};
    TestServer server(answer_with(empty_ok));
    for (const char* host : {"127.0.0.1", "a.test"}) {
        const ports::ExchangeResult result = exchange(http(server, host));
        EXPECT_TRUE(result.blocked);
        EXPECT_TRUE(result.error.starts_with("Blocked: 127.0.0.1 is ")) << result.error;
    }
    EXPECT_EQ(exchange({true, "10.0.0.7", 443}).error, "Blocked: 10.0.0.7 is a private address");
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(ExchangeTest, allowed_networks_may_be_called_and_only_these) {
    config_.allow_networks = {"127.0.0.1/32"};
    TestServer server(answer_with(empty_ok));
    EXPECT_EQ(exchange(http(server, "a.test")).http_status, 200);
    EXPECT_TRUE(exchange(http(server, "127.0.0.2")).blocked);
}

TEST_F(ExchangeTest, of_several_addresses_only_allowed_ones_are_called) {
    config_.allow_networks = {"127.0.0.3/32"};
    look_up_ = [](const std::string&) {
        return net::ResolverAnswer{{base::IpAddress::v4({127, 0, 0, 1}), base::IpAddress::v4({127, 0, 0, 3})},
                                   {}};
    };
    TestServer allowed(answer_with(empty_ok), {}, "127.0.0.3");
    TestServer blocked(answer_with(empty_ok), {}, "127.0.0.1", allowed.port());
    EXPECT_EQ(exchange(http(allowed, "two.test")).http_status, 200);
    EXPECT_EQ(blocked.connections(), 0);
}

TEST_F(ExchangeTest, the_machines_own_names_are_resolved) {
    look_up_ = net::look_up_with_system;
    TestServer server(answer_with(empty_ok));
    EXPECT_EQ(exchange(http(server, "localhost")).http_status, 200);
}

TEST_F(ExchangeTest, an_unknown_name_is_reported) {
    EXPECT_EQ(exchange({true, "missing.example", 443}).error,
              "DNS lookup failed: missing.example: Name or service not known");
}

TEST(NetworkTest, a_wrong_network_is_an_error_that_names_the_key) {
    config::Delivery config;
    config.allow_networks = {"10.0.0.0/99"};
    const auto network = net::Network::create(config, 1);
    ASSERT_TRUE(network.has_error());
    EXPECT_TRUE(network.error().message.starts_with("delivery.allow_networks: ")) << network.error().message;
}

} // namespace
} // namespace docmap::test
