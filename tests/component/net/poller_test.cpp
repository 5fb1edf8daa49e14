#include "net/poller.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace docmap::test {
namespace {

/// One end of a pair of sockets, watched; the other end is the test's.
class WatchedSocket : public net::SocketWatcher {
  public:
    explicit WatchedSocket(net::Poller& poller) : poller_(poller) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_.data()), 0);
        EXPECT_EQ(poller_.watch(ends_[0], *this), 0);
    }
    ~WatchedSocket() override {
        forget();
        ::close(ends_[1]);
    }

    WatchedSocket(const WatchedSocket&) = delete;
    WatchedSocket& operator=(const WatchedSocket&) = delete;

    void forget() {
        if (ends_[0] < 0) return;
        poller_.forget(*this);
        ::close(ends_[0]);
        ends_[0] = -1;
    }

    void receive_from_peer() { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
    void end_from_peer() { EXPECT_EQ(::shutdown(ends_[1], SHUT_WR), 0); }

    void on_ready(net::Readiness readiness) override {
        told.push_back(readiness);
        if (then) then();
    }

    std::vector<net::Readiness> told;
    std::function<void()> then; ///< what to do when told

  private:
    net::Poller& poller_;
    std::array<int, 2> ends_{-1, -1};
};

class PollerTest : public testing::Test {
  protected:
    /// Everything that is ready now.
    void run_ready() {
        context_.restart();
        context_.poll();
    }

    boost::asio::io_context context_{1};
    net::Poller poller_{context_};
};

TEST_F(PollerTest, ANewSocketIsWritable) {
    WatchedSocket socket(poller_);
    run_ready();
    ASSERT_EQ(socket.told.size(), 1U);
    EXPECT_TRUE(socket.told[0].writable);
    EXPECT_FALSE(socket.told[0].readable);
    EXPECT_FALSE(socket.told[0].ended);
}

TEST_F(PollerTest, TellsOfEachArrivalOnce) {
    WatchedSocket socket(poller_);
    run_ready();
    for (std::size_t arrivals = 1; arrivals <= 3; ++arrivals) {
        socket.receive_from_peer();
        run_ready();
        run_ready();
        ASSERT_EQ(socket.told.size(), 1 + arrivals) << "unread bytes are not told of again";
        EXPECT_TRUE(socket.told.back().readable);
    }
}

TEST_F(PollerTest, TheEndIsToldTogetherWithWhatCameBefore) {
    WatchedSocket socket(poller_);
    run_ready();
    socket.receive_from_peer();
    socket.end_from_peer();
    run_ready();
    ASSERT_EQ(socket.told.size(), 2U);
    EXPECT_TRUE(socket.told[1].readable);
    EXPECT_TRUE(socket.told[1].ended);
}

TEST_F(PollerTest, WhoIsForgottenInTheSameTurnHearsNothing) {
    WatchedSocket first(poller_);
    WatchedSocket second(poller_);
    first.then = [&] { second.forget(); };
    second.then = [&] { first.forget(); };
    run_ready();
    EXPECT_EQ(first.told.size() + second.told.size(), 1U);
}

TEST_F(PollerTest, AWatcherMayBeDestroyedWhenTold) {
    auto socket = std::make_unique<WatchedSocket>(poller_);
    WatchedSocket other(poller_);
    other.then = [&] { socket.reset(); };
    run_ready();
    EXPECT_EQ(socket, nullptr);
}

TEST_F(PollerTest, ASocketWatchedWhileOthersAreToldIsToldToo) {
    WatchedSocket first(poller_);
    std::unique_ptr<WatchedSocket> second;
    first.then = [&] {
        if (!second) second = std::make_unique<WatchedSocket>(poller_);
    };
    run_ready();
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(second->told.size(), 1U);
}

TEST_F(PollerTest, MoreSocketsThanOneTurnTakesAreAllTold) {
    std::vector<std::unique_ptr<WatchedSocket>> sockets;
    for (int count = 0; count < 300; ++count)
        sockets.push_back(std::make_unique<WatchedSocket>(poller_));
    run_ready();
    for (const auto& socket : sockets)
        EXPECT_EQ(socket->told.size(), 1U);
}

TEST_F(PollerTest, WithoutSocketsTheContextHasNothingToWaitFor) {
    WatchedSocket socket(poller_);
    run_ready();
    EXPECT_FALSE(context_.stopped());
    socket.forget();
    context_.restart();
    EXPECT_EQ(context_.run(), 1U) << "the wait that was cancelled";
}

TEST_F(PollerTest, RefusesWhatIsNoSocket) {
    struct Deaf : net::SocketWatcher {
        void on_ready(net::Readiness) override {}
    } watcher;
    EXPECT_EQ(poller_.watch(-1, watcher), EBADF);
}

TEST(Poller, MayEndBeforeItsContext) {
    boost::asio::io_context context{1};
    {
        net::Poller poller(context);
        WatchedSocket socket(poller);
        socket.receive_from_peer();
    }
    context.run();
}

} // namespace
} // namespace docmap::test
