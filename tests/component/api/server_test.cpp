// The life of the server: listening, limits, deadlines, the orderly stop.
#include "component/api/server_fixture.hpp"

#include <gmock/gmock.h>

namespace docmap::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class LifeTest : public ServerTest {
  protected:
    /// Makes listing webhooks wait at `door`.
    void close_door() {
        webhooks.on_list = [this] { return door.pass(); };
    }

    /// Leaves half a request with the server: it comes in one piece with a whole one, which is answered.
    static void send_one_and_a_half(RawClient& client) {
        client.send(request("GET /health") + "GET /health HTTP/1.1\r\n");
        EXPECT_EQ(client.read_response().status, 200);
    }

    Door door{context};
};

TEST_F(LifeTest, SaysWhyItCannotListen) {
    start();
    config.listen_port = port;
    EXPECT_EQ(make_server()->start().error().message,
              "api.listen: 127.0.0.1:" + std::to_string(port) + ": Address already in use");
    config.listen_address = "192.0.2.1";
    EXPECT_EQ(make_server()->start().error().message,
              "api.listen: 192.0.2.1:" + std::to_string(port) + ": Cannot assign requested address");
    config.listen_address = "localhost";
    EXPECT_EQ(make_server()->start().error().message, "api.listen: localhost: is not an IP address");
}

TEST_F(LifeTest, ClosesConnectionsThatSayNothing) {
    config.request_timeout = 50ms;
    start();
    RawClient silent(port);
    EXPECT_TRUE(silent.is_closed_by_server());
    RawClient served(port);
    served.send(request("GET /health"));
    EXPECT_EQ(served.read_response().status, 200);
    EXPECT_TRUE(served.is_closed_by_server());
}

TEST_F(LifeTest, DoesNotWaitLongerForAClientThatDrips) {
    config.request_timeout = 200ms;
    start();
    RawClient client(port);
    const auto started = Clock::now();
    const auto give_up = started + 10s;
    client.send("GET /health HTTP/1.1\r\n");
    // Each byte comes well within the deadline; together they never end. The write fails once the server
    // closed.
    while (client.send("a") && Clock::now() < give_up)
        std::this_thread::sleep_for(5ms);
    EXPECT_GE(Clock::now() - started, 200ms);
    EXPECT_LT(Clock::now() - started, 8s);
}

TEST_F(LifeTest, DoesNotWaitLongerForABodyThatDrips) {
    config.request_timeout = 200ms;
    start();
    RawClient client(port);
    const auto started = Clock::now();
    client.send("POST /v1/webhooks HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + key +
                "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n");
    while (client.send(" ") && Clock::now() < started + 10s)
        std::this_thread::sleep_for(5ms);
    EXPECT_LT(Clock::now() - started, 8s);
    EXPECT_TRUE(webhooks.secrets().empty());
}

TEST_F(LifeTest, LetsConnectionsOverTheLimitWait) {
    config.max_connections = 2;
    close_door();
    start();
    RawClient first(port);
    RawClient second(port);
    first.send(request("GET /v1/webhooks", {}, "Connection: close\r\n"));
    second.send(request("GET /health"));
    EXPECT_EQ(second.read_response().status, 200);
    ASSERT_TRUE(door.wait_for_visitor());

    RawClient third(port);
    third.send(request("GET /health"));
    door.open();
    EXPECT_EQ(first.read_response().status, 200);
    EXPECT_TRUE(first.is_closed_by_server());
    EXPECT_EQ(third.read_response().status, 200);
}

TEST_F(LifeTest, ClosesIdleConnectionsWhenItStops) {
    start();
    RawClient unused(port);
    RawClient idle(port);
    idle.send(request("GET /health"));
    EXPECT_EQ(idle.read_response().status, 200);
    stop(10s);
    EXPECT_TRUE(unused.is_closed_by_server());
    EXPECT_TRUE(idle.is_closed_by_server());
    EXPECT_TRUE(has_stopped(10s));
    EXPECT_THROW(RawClient late(port), std::runtime_error);
}

TEST_F(LifeTest, FinishesRequestsInProgressWhenItStops) {
    close_door();
    start();
    RawClient busy(port);
    busy.send(request("GET /v1/webhooks") + request("GET /health"));
    RawClient half_sent(port);
    send_one_and_a_half(half_sent);
    ASSERT_TRUE(door.wait_for_visitor());
    stop(10s);
    EXPECT_FALSE(has_stopped(20ms));
    door.open();
    RawResponse response = busy.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers["connection"], "close");
    EXPECT_TRUE(busy.is_closed_by_server());
    half_sent.send("Host: a\r\n\r\n");
    EXPECT_EQ(half_sent.read_response().status, 200);
    EXPECT_TRUE(has_stopped(10s));
}

TEST_F(LifeTest, CutsOffWhatExceedsTheDeadline) {
    close_door();
    start();
    RawClient busy(port);
    busy.send(request("GET /v1/webhooks"));
    RawClient half_sent(port);
    send_one_and_a_half(half_sent);
    ASSERT_TRUE(door.wait_for_visitor());
    const auto started = Clock::now();
    stop(50ms);
    EXPECT_TRUE(has_stopped(10s));
    EXPECT_GE(Clock::now() - started, 50ms);
    EXPECT_TRUE(busy.is_closed_by_server());
    EXPECT_TRUE(half_sent.is_closed_by_server());
}

TEST_F(LifeTest, ServesManyConnectionsAtOnce) {
    start();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(std::make_unique<RawClient>(port));
        clients.back()->send(request("GET /health"));
    }
    for (const auto& client : clients)
        EXPECT_EQ(client->read_response().status, 200);
}

} // namespace
} // namespace docmap::test
