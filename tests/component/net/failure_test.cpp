// Servers that misbehave: what each exchange comes to.
#include "component/net/transport_fixture.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <list>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace docmap::test {
namespace {

using Clock = std::chrono::steady_clock;

const std::string timeout_error = "The operation was aborted due to timeout";

/// A port of a loopback address that does not answer connections: its queue is full.
class BlackHole {
  public:
    explicit BlackHole(const std::string& address = "127.0.0.1", std::uint16_t port = 0) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        inet_pton(AF_INET, address.c_str(), &name.sin_addr);
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        const int on = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
        EXPECT_EQ(::listen(listener_, 0), 0);
        socklen_t size = sizeof name;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size);
        port_ = ntohs(name.sin_port);
        for (int i = 0; i < 4; ++i) {
            fillers_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
            ::connect(fillers_.back(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
        }
    }
    ~BlackHole() {
        for (const int filler : fillers_)
            ::close(filler);
        ::close(listener_);
    }

    BlackHole(const BlackHole&) = delete;
    BlackHole& operator=(const BlackHole&) = delete;

    std::uint16_t port() const { return port_; }

  private:
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::list<int> fillers_;
};

/// Reads the request, then says nothing.
void hang(ServerConnection& connection) {
    connection.wait_for_close();
}

class FailureTest : public TransportTest {
  protected:
    ports::ExchangeResult exchange_with(TestServer::Script script) {
        TestServer server(std::move(script));
        ports::ExchangeResult result = exchange(http(server));
        EXPECT_EQ(idle(), 0U);
        return result;
    }

    void expect_timeout(const core::Origin& origin) {
        const auto started = Clock::now();
        const TestExchange& sent = send(origin, 300ms);
        ASSERT_TRUE(run_until_done(sent));
        EXPECT_EQ(sent.result.error, timeout_error);
        EXPECT_EQ(sent.result.http_status, 0);
        EXPECT_GE(sent.ended - started, 295ms);
        EXPECT_LE(sent.ended - started, 2s);
        EXPECT_EQ(in_flight(), 0U);
    }
};

TEST_F(FailureTest, a_closed_port_is_refused) {
    std::uint16_t port = 0;
    {
        const TestServer server(answer_with(empty_ok));
        port = server.port();
    }
    EXPECT_EQ(exchange({false, "127.0.0.1", port}).error, "Connection refused");
    EXPECT_EQ(exchange({true, "127.0.0.1", port}).error, "Connection refused");
}

TEST_F(FailureTest, no_route_is_reported) {
    config_.allow_networks = {"255.255.255.255/32"};
    const std::string error = exchange({false, "255.255.255.255", 9}).error;
    EXPECT_TRUE(error == "Network is unreachable" || error == "Permission denied") << error;
}

TEST_F(FailureTest, a_connection_that_is_not_answered_times_out) {
    const BlackHole black_hole;
    expect_timeout({false, "127.0.0.1", black_hole.port()});
}

TEST_F(FailureTest, a_handshake_that_is_not_answered_times_out) {
    TestServer server(hang);
    expect_timeout(https(server));
}

TEST_F(FailureTest, a_request_that_is_not_answered_times_out) {
    TestServer server(hang);
    expect_timeout(http(server));
}

TEST_F(FailureTest, a_request_over_tls_that_is_not_answered_times_out) {
    TestServer server(hang, authority().issue("DNS:a.test"));
    expect_timeout(https(server));
}

TEST_F(FailureTest, headers_that_drip_time_out) {
    std::atomic<bool> stop = false;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        for (const char letter : std::string("HTTP/1.1 200 OK\r\nX: ") + std::string(1000, 'x')) {
            if (stop || !connection.write({&letter, 1})) return;
            std::this_thread::sleep_for(10ms);
        }
    });
    expect_timeout(http(server));
    stop = true;
}

TEST_F(FailureTest, a_body_that_drips_ends_at_the_deadline_with_its_status) {
    std::atomic<bool> stop = false;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n");
        while (!stop && connection.write("x"))
            std::this_thread::sleep_for(10ms);
    });
    const auto started = Clock::now();
    const TestExchange& sent = send(http(server), 300ms);
    ASSERT_TRUE(run_until_done(sent));
    stop = true;
    EXPECT_EQ(sent.result.http_status, 202);
    EXPECT_EQ(sent.result.error, "");
    EXPECT_LE(sent.ended - started, 2s);
    EXPECT_EQ(idle(), 0U);
}

TEST_F(FailureTest, a_body_of_a_gigabyte_is_cut_off) {
    std::atomic<std::size_t> written = 0;
    std::atomic<bool> ended = false;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
        const std::string piece(64 * 1024, 'x');
        while (written < 1024 * 1024 * 1024 && connection.write(piece))
            written += piece.size();
        ended = true;
    });
    const auto started = Clock::now();
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_LE(Clock::now() - started, 2s);
    EXPECT_EQ(idle(), 0U);
    EXPECT_TRUE(run_until([&] { return ended.load(); }));
    EXPECT_LE(written, 64U * 1024 * 1024);
}

TEST_F(FailureTest, garbage_is_an_invalid_response) {
    const std::string error = exchange_with(answer_with("\x01\x02 this is not HTTP\r\n\r\n")).error;
    EXPECT_TRUE(error.starts_with("Invalid HTTP response: ")) << error;
}

TEST_F(FailureTest, a_reset_within_the_headers_is_reported) {
    const ports::ExchangeResult result = exchange_with([](ServerConnection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 200 OK\r\nContent-");
        connection.reset();
    });
    EXPECT_EQ(result.error, "Connection reset by peer");
    EXPECT_EQ(result.http_status, 0);
}

TEST_F(FailureTest, a_reset_within_the_body_leaves_the_status) {
    const ports::ExchangeResult result = exchange_with([](ServerConnection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        connection.reset();
    });
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.http_status, 200);
}

TEST_F(FailureTest, a_close_instead_of_a_response_is_reported) {
    const ports::ExchangeResult result =
        exchange_with([](ServerConnection& connection) { connection.read_request(); });
    EXPECT_EQ(result.error, "Connection closed before a response came");
}

TEST_F(FailureTest, a_close_instead_of_a_response_over_tls_is_reported) {
    TestServer server([](ServerConnection& connection) { connection.read_request(); },
                      authority().issue("DNS:a.test"));
    EXPECT_EQ(exchange(https(server)).error, "Connection closed before a response came");
}

TEST_F(FailureTest, a_response_that_comes_before_the_request_is_read_counts) {
    std::atomic<bool> done = false;
    TestServer server([&](ServerConnection& connection) {
        connection.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
        while (!done)
            std::this_thread::sleep_for(5ms);
    });
    const TestExchange& sent = send(http(server), 5s, std::string(16 * 1024 * 1024, 'x'));
    ASSERT_TRUE(run_until_done(sent));
    done = true;
    EXPECT_EQ(sent.result.http_status, 413);
    EXPECT_EQ(idle(), 0U);
}

TEST_F(FailureTest, an_address_that_does_not_answer_leaves_time_for_the_next) {
    TestServer server(answer_with(empty_ok), {}, "127.0.0.3");
    const BlackHole black_hole("127.0.0.2", server.port());
    look_up_ = [](const std::string&) {
        return net::ResolverAnswer{{base::IpAddress::v4({127, 0, 0, 2}), base::IpAddress::v4({127, 0, 0, 3})},
                                   {}};
    };
    const auto started = Clock::now();
    const TestExchange& sent = send(http(server, "two.test"), 800ms);
    ASSERT_TRUE(run_until_done(sent));
    EXPECT_EQ(sent.result.http_status, 200);
    EXPECT_GE(sent.ended - started, 390ms);
}

TEST_F(FailureTest, an_address_that_refuses_is_followed_by_the_next) {
    TestServer server(answer_with(empty_ok), {}, "127.0.0.3");
    look_up_ = [](const std::string&) {
        return net::ResolverAnswer{{base::IpAddress::v4({127, 0, 0, 2}), base::IpAddress::v4({127, 0, 0, 3})},
                                   {}};
    };
    EXPECT_EQ(exchange(http(server, "two.test")).http_status, 200);
}

TEST_F(FailureTest, abort_all_ends_every_exchange_whatever_it_waits_for) {
    TestServer server(hang);
    TestServer good(answer_with(empty_ok));
    const BlackHole black_hole;
    exchange(http(good));
    ASSERT_EQ(idle(), 1U);
    std::vector<const TestExchange*> sent = {&send(http(server)), &send(https(server)),
                                             &send({false, "127.0.0.1", black_hole.port()}),
                                             &send(http(server, "10.0.0.1"))};
    run_until([&] { return server.connections() == 2; });
    transport_->abort_all();
    for (const TestExchange* exchange : sent) {
        EXPECT_TRUE(exchange->done);
        EXPECT_EQ(exchange->result.aborted || exchange->result.blocked, true);
    }
    EXPECT_EQ(in_flight(), 0U);
    EXPECT_EQ(idle(), 0U);
    transport_.reset();
    shard_.restart();
    shard_.run_for(20ms);
}

TEST_F(FailureTest, exchanges_started_within_abort_all_go_on) {
    TestServer server(hang);
    TestServer good(answer_with(empty_ok));
    send(http(server));
    TestExchange* next = nullptr;
    on_done_ = [&](TestExchange& ended) {
        if (ended.result.aborted) next = &send(http(good));
    };
    transport_->abort_all();
    ASSERT_NE(next, nullptr);
    ASSERT_TRUE(run_until_done(*next));
    EXPECT_EQ(next->result.http_status, 200);
}

TEST_F(FailureTest, a_transport_destroyed_with_exchanges_leaves_nothing_behind) {
    TestServer server(hang);
    send(http(server));
    send(https(server));
    send({false, "no-such-host.example", 80});
    send(http(server, "10.0.0.1"));
    run_until([&] { return server.connections() == 2; });
    transport_.reset();
    shard_.restart();
    shard_.run_for(20ms);
    EXPECT_FALSE(exchanges_[0].done);
}

} // namespace
} // namespace docmap::test
