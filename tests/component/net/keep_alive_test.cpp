// Connections that are kept, reused, dropped and bounded.
#include "component/net/transport_fixture.hpp"
#include "net/connection_pool.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace docmap::test {
namespace {

class KeepAliveTest : public TransportTest {};

TEST_F(KeepAliveTest, requests_to_one_origin_share_a_connection) {
    TestServer server(answer_with(empty_ok));
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(idle(), 1U);
}

TEST_F(KeepAliveTest, requests_over_tls_share_a_connection) {
    TestServer server(answer_with(empty_ok), authority().issue("DNS:a.test"));
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(exchange(https(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(KeepAliveTest, an_exchange_started_by_the_listener_reuses_the_connection_just_left) {
    TestServer server(answer_with(empty_ok));
    int left = 20;
    on_done_ = [&](TestExchange& ended) {
        if (--left > 0) send(ended.target);
    };
    send(http(server));
    EXPECT_TRUE(run_until([&] { return left == 0; }));
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(KeepAliveTest, origins_do_not_share_connections) {
    TestServer server(answer_with(empty_ok));
    exchange(http(server, "a.test"));
    exchange(http(server, "b.test"));
    EXPECT_EQ(server.connections(), 2);
    EXPECT_EQ(idle(), 2U);
}

TEST_F(KeepAliveTest, a_connection_the_server_says_it_closes_is_not_kept) {
    TestServer server(answer_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(idle(), 0U);
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(KeepAliveTest, bytes_behind_a_response_end_the_connection) {
    TestServer server(answer_with(empty_ok + "HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(idle(), 0U);
}

TEST_F(KeepAliveTest, an_idle_connection_closed_by_the_server_is_dropped_at_once) {
    TestServer server([](ServerConnection& connection) {
        connection.read_request();
        connection.write(empty_ok);
    });
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_TRUE(run_until([&] { return idle() == 0; }));
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(KeepAliveTest, an_idle_tls_connection_closed_by_the_server_is_dropped_at_once) {
    TestServer server(
        [](ServerConnection& connection) {
            connection.read_request();
            connection.write(empty_ok);
        },
        authority().issue("DNS:a.test"));
    EXPECT_EQ(exchange(https(server)).http_status, 200);
    EXPECT_TRUE(run_until([&] { return idle() == 0; }));
}

TEST_F(KeepAliveTest, an_idle_connection_that_speaks_unasked_is_dropped) {
    std::atomic<bool> speak = false;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        connection.write(empty_ok);
        while (!speak)
            std::this_thread::yield();
        connection.write(empty_ok);
        connection.wait_for_close();
    });
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(idle(), 1U);
    speak = true;
    EXPECT_TRUE(run_until([&] { return idle() == 0; }));
}

/// The server resets the idle connection, and the shard has had no turn to see it.
TEST_F(KeepAliveTest, an_exchange_of_which_nothing_was_sent_goes_out_on_a_new_connection) {
    ResetOnDemand first;
    TestServer server(first.script());
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(idle(), 1U);
    first.reset();
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(KeepAliveTest, an_exchange_of_which_something_was_sent_is_not_sent_again) {
    std::atomic<int> requests = 0;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        ++requests;
        connection.write(empty_ok);
        connection.read_request();
        ++requests;
    });
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    const ports::ExchangeResult second = exchange(http(server));
    EXPECT_EQ(second.http_status, 0);
    EXPECT_EQ(second.error, "Connection closed before a response came");
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(requests, 2);
}

TEST_F(KeepAliveTest, a_connection_is_closed_after_the_idle_timeout) {
    config_.idle_timeout = 100ms;
    std::atomic<bool> closed = false;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        connection.write(empty_ok);
        connection.wait_for_close();
        closed = true;
    });
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(idle(), 1U);
    EXPECT_TRUE(run_until([&] { return idle() == 0 && closed; }));
}

TEST_F(KeepAliveTest, a_connection_is_not_used_for_longer_than_the_server_keeps_it) {
    TestServer server(answer_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=0\r\n\r\n"));
    exchange(http(server));
    exchange(http(server));
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(KeepAliveTest, idle_connections_are_bounded_and_the_oldest_goes) {
    config_.max_idle_connections = 3;
    TestServer server(answer_with(empty_ok));
    for (const char* host : {"a.test", "b.test", "c.test", "d.test"})
        exchange(http(server, host));
    EXPECT_TRUE(run_until([&] { return idle() == 3; }));
    exchange(http(server, "d.test"));
    exchange(http(server, "b.test"));
    EXPECT_EQ(server.connections(), 4);
    exchange(http(server, "a.test"));
    EXPECT_EQ(server.connections(), 5);
}

TEST_F(KeepAliveTest, many_that_become_idle_in_one_turn_are_used_again_however_few_may_stay_idle) {
    constexpr int at_once = 4;
    constexpr int rounds = 5;
    config_.max_idle_connections = 1;
    std::atomic<int> answered = 0;
    TestServer server([&](ServerConnection& connection) {
        while (!connection.read_request().empty()) {
            connection.write(empty_ok);
            ++answered;
        }
    });
    const core::Origin origin = http(server);
    int begun = at_once;
    int done = 0;
    on_done_ = [&](TestExchange&) {
        ++done;
        // As a shard does: the next ones are sent when the turn ends.
        if (begun++ < rounds * at_once) boost::asio::post(shard_, [&] { send(origin); });
    };
    for (int i = 0; i < at_once; ++i)
        send(origin);
    for (int round = 1; round <= rounds; ++round) {
        // Without a turn of the shard until all answers are there, so that one turn has them all.
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (round > 1 && answered < round * at_once && std::chrono::steady_clock::now() < deadline)
            std::this_thread::yield();
        // A sweep is due then, too: it comes between the answers and what is sent next.
        std::this_thread::sleep_for(2 * net::ConnectionPool::surplus_stays_for);
        ASSERT_TRUE(run_until([&] { return done >= round * at_once; }));
        ASSERT_TRUE(run_until([&] {
            return exchanges_.size() >=
                   std::size_t{at_once} * static_cast<std::size_t>(std::min(round + 1, rounds));
        }));
    }
    EXPECT_EQ(server.connections(), at_once);
    EXPECT_TRUE(run_until([&] { return idle() == 1; }));
}

TEST_F(KeepAliveTest, a_connection_idle_for_a_while_is_looked_at_before_it_is_used) {
    std::atomic<bool> closed = false;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        connection.write(empty_ok);
        connection.close();
        closed = true;
    });
    exchange(http(server));
    while (!closed)
        std::this_thread::yield();
    // The shard has had no turn to see the end, but the connection has been idle for long enough to be
    // suspect.
    std::this_thread::sleep_for(150ms);
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(server.connections(), 2);
}

} // namespace
} // namespace docmap::test
