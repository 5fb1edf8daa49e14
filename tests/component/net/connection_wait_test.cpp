// To one origin only so many connections are opened at the same time: what other exchanges wait for, and how
// long.
#include "component/net/transport_fixture.hpp"
#include "core/address_policy.hpp"
#include "net/connection_pool.hpp"
#include "net/resolver.hpp"
#include "net/tls_context.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace docmap::test {
namespace {

/// Never answers, neither a handshake nor a request.
void stay_silent(ServerConnection& connection) {
    connection.wait_for_close();
}

class ConnectionWaitTest : public TransportTest {
  protected:
    ConnectionWaitTest() {
        settings_.max_opening = 1;
        // For ever, as far as the tests are concerned.
        settings_.connection_wait = 1min;
        settings_.inspection_interval = 1min;
        on_done_ = [this](TestExchange& ended) { ended_.push_back(&ended); };
    }

    /// Without the network, whose settings leave the interval alone.
    void connect_network() override {
        transport_.reset();
        transport_ = std::make_unique<net::HttpTransport>(settings_, shard_, tls_, policy_, resolver_, *this);
    }

    std::vector<TestExchange*> send_all(int count, const core::Origin& origin,
                                        std::chrono::milliseconds timeout = 5min) {
        std::vector<TestExchange*> sent;
        for (int i = 0; i < count; ++i)
            sent.push_back(&send(origin, timeout));
        return sent;
    }

    bool run_until_ended(std::size_t count) {
        return run_until([&] { return ended_.size() >= count; });
    }

    net::PoolSettings settings_;
    net::TlsContext tls_ = net::TlsContext::create(authority().file()).value();
    core::AddressPolicy policy_ = core::AddressPolicy::from_cidrs({"127.0.0.0/8"}).value();
    net::Resolver resolver_{{}, look_up_test_names};
    std::vector<TestExchange*> ended_; ///< in this order
};

TEST_F(ConnectionWaitTest, those_that_wait_use_the_connection_that_becomes_idle_in_their_order) {
    TestServer server(answer_with(empty_ok));
    const std::vector<TestExchange*> sent = send_all(20, http(server));
    ASSERT_TRUE(run_until_ended(20));
    EXPECT_EQ(ended_, sent);
    for (const TestExchange* exchange : sent)
        EXPECT_EQ(exchange->result.http_status, 200);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(idle(), 1U);
}

TEST_F(ConnectionWaitTest, a_connection_in_use_is_waited_for_although_one_more_may_be_opened) {
    settings_.max_opening = 16;
    TestServer server(answer_with(empty_ok));
    send(http(server));
    ASSERT_TRUE(run_until_ended(1));
    send_all(10, http(server));
    ASSERT_TRUE(run_until_ended(11));
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectionWaitTest, what_the_listener_starts_comes_after_those_that_wait) {
    TestServer server(answer_with(empty_ok));
    std::vector<TestExchange*> sent = send_all(5, http(server));
    on_done_ = [&](TestExchange& ended) {
        ended_.push_back(&ended);
        if (ended_.size() <= 5) sent.push_back(&send(http(server)));
    };
    ASSERT_TRUE(run_until_ended(10));
    EXPECT_EQ(ended_, sent);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectionWaitTest, over_tls_too) {
    TestServer server(answer_with(empty_ok), authority().issue("DNS:a.test"));
    send_all(20, https(server));
    ASSERT_TRUE(run_until_ended(20));
    EXPECT_EQ(server.handshakes(), 1);
}

TEST_F(ConnectionWaitTest, as_many_as_allowed_are_opened_at_once) {
    settings_.max_opening = 3;
    settings_.inspection_interval = 5ms;
    TestServer server(stay_silent); // handshakes do not end
    send_all(3, https(server), 300ms);
    send_all(4, https(server));
    ASSERT_TRUE(run_until([&] { return server.connections() == 3; }));
    EXPECT_EQ(in_flight(), 7U);
    ASSERT_TRUE(run_until_ended(3)); // the three time out, and make room for three
    ASSERT_TRUE(run_until([&] { return server.connections() == 6; }));
    EXPECT_EQ(in_flight(), 4U);
}

TEST_F(ConnectionWaitTest, origins_do_not_wait_for_each_other) {
    TestServer silent(stay_silent);
    TestServer server(answer_with(empty_ok));
    send_all(3, https(silent));
    EXPECT_EQ(exchange(http(server)).http_status, 200);
    EXPECT_EQ(in_flight(), 3U);
}

TEST_F(ConnectionWaitTest, who_was_not_served_for_a_while_opens_a_connection_beside_those_in_use) {
    settings_.inspection_interval = 5ms;
    std::atomic<bool> answer = false;
    std::atomic<int> requests = 0;
    TestServer server([&](ServerConnection& connection) {
        connection.read_request();
        ++requests;
        while (!answer)
            std::this_thread::yield();
        connection.write(empty_ok);
    });
    for (int i = 1; i <= 4; ++i) {
        send(http(server));
        ASSERT_TRUE(run_until([&] { return requests == i; }));
    }
    answer = true;
    EXPECT_TRUE(run_until_ended(4));
}

TEST_F(ConnectionWaitTest, who_has_waited_long_enough_opens_a_connection_itself) {
    settings_.connection_wait = 50ms;
    settings_.inspection_interval = 5ms;
    TestServer server(stay_silent);
    const auto started = std::chrono::steady_clock::now();
    send_all(5, https(server));
    ASSERT_TRUE(run_until([&] { return server.connections() == 5; }));
    EXPECT_GE(std::chrono::steady_clock::now() - started, 50ms);
}

TEST_F(ConnectionWaitTest, nobody_waits_for_more_than_a_quarter_of_its_time) {
    settings_.inspection_interval = 5ms;
    TestServer server(stay_silent);
    const auto started = std::chrono::steady_clock::now();
    send_all(5, https(server), 200ms);
    ASSERT_TRUE(run_until([&] { return server.connections() == 5; }));
    EXPECT_GE(std::chrono::steady_clock::now() - started, 50ms);
    EXPECT_TRUE(ended_.empty());
}

TEST_F(ConnectionWaitTest, nobody_waits_where_the_wait_is_zero) {
    settings_.connection_wait = 0ms;
    TestServer server(stay_silent);
    send_all(5, https(server));
    EXPECT_TRUE(run_until([&] { return server.connections() == 5; }));
}

TEST_F(ConnectionWaitTest, a_connection_that_is_not_kept_makes_room_for_the_next) {
    TestServer server(answer_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    send_all(10, http(server));
    ASSERT_TRUE(run_until_ended(10));
    EXPECT_EQ(server.connections(), 10);
}

TEST_F(ConnectionWaitTest, a_connection_the_server_keeps_for_no_time_is_not_used_by_one_that_waits) {
    TestServer server(answer_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=0\r\n\r\n"));
    send_all(5, http(server));
    ASSERT_TRUE(run_until_ended(5));
    EXPECT_EQ(server.connections(), 5);
}

/// A connection that is refused is so at once, within the call: thousands that wait must not nest.
TEST_F(ConnectionWaitTest, all_that_wait_for_what_is_refused_fail_soon) {
    const std::uint16_t port = TestServer(stay_silent).port(); // which is gone at once
    const std::vector<TestExchange*> sent = send_all(20'000, {false, "127.0.0.1", port});
    ASSERT_TRUE(run_until_ended(20'000));
    EXPECT_EQ(ended_, sent);
    for (const TestExchange* exchange : sent)
        ASSERT_EQ(exchange->result.error, "Connection refused");
}

TEST_F(ConnectionWaitTest, who_waits_meets_its_deadline) {
    TestServer server(stay_silent);
    send(https(server));
    const TestExchange& waiting = send(https(server), 100ms);
    ASSERT_TRUE(run_until_done(waiting));
    EXPECT_EQ(waiting.result.error, "The operation was aborted due to timeout");
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectionWaitTest, who_waits_is_aborted_with_the_others_and_may_be_sent_again_at_once) {
    TestServer silent(stay_silent);
    TestServer server(answer_with(empty_ok));
    const std::vector<TestExchange*> sent = send_all(5, https(silent));
    std::size_t answered = 0;
    on_done_ = [&](TestExchange& ended) {
        if (ended.result.aborted)
            send(http(server));
        else if (ended.result.http_status == 200)
            ++answered;
    };
    transport_->abort_all();
    for (const TestExchange* exchange : sent)
        EXPECT_TRUE(exchange->result.aborted);
    EXPECT_TRUE(run_until([&] { return answered == 5; }));
    EXPECT_EQ(in_flight(), 0U);
}

TEST_F(ConnectionWaitTest, a_transport_may_go_while_exchanges_wait) {
    TestServer server(stay_silent);
    send_all(5, https(server));
    transport_.reset();
    shard_.restart();
    shard_.poll();
    EXPECT_TRUE(ended_.empty());
}

/// It takes the place of the one that was lost: who has been started is not put behind others.
TEST_F(ConnectionWaitTest, an_exchange_whose_idle_connection_is_gone_does_not_wait) {
    ResetOnDemand first;
    TestServer server(first.script());
    send(http(server));
    ASSERT_TRUE(run_until_ended(1));
    first.reset();
    const std::vector<TestExchange*> sent = send_all(3, http(server));
    ASSERT_TRUE(run_until_done(*sent.front()));
    EXPECT_EQ(sent.front()->result.http_status, 200);
    EXPECT_EQ(server.connections(), 2);
}

/// The server resets the connection while the next request is on its way to it.
TEST_F(ConnectionWaitTest, a_connection_that_breaks_makes_room_for_the_next) {
    TestServer server([](ServerConnection& connection) {
        connection.read_request();
        connection.write(empty_ok);
        connection.reset();
    });
    send_all(10, http(server));
    ASSERT_TRUE(run_until_ended(10));
    EXPECT_EQ(in_flight(), 0U);
    for (const TestExchange* exchange : ended_)
        EXPECT_TRUE(exchange->result.http_status == 200 || !exchange->result.error.empty());
}

} // namespace
} // namespace docmap::test
