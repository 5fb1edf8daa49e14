// A transport on the test's own thread, and what it takes to send through it and to wait for results.
#pragma once

#include "component/net/certificates.hpp"
#include "component/net/test_server.hpp"
#include "config/config.hpp"
#include "net/http_transport.hpp"
#include "net/network.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>

namespace docmap::test {

using namespace std::chrono_literals;

/// An exchange with all that it refers to.
struct TestExchange : ports::Exchange {
    core::Origin target;
    std::string content;
    bool done = false;
    std::chrono::steady_clock::time_point ended{};
};

/// Every name ending in `.test` is 127.0.0.1; any other does not exist.
net::ResolverAnswer look_up_test_names(const std::string& host);

class TransportTest : public testing::Test, public ports::ExchangeListener {
  protected:
    TransportTest();

    /// Makes the transport from `config_`, in place of an earlier one.
    virtual void connect_network();

    TestExchange& send(const core::Origin& origin, std::chrono::milliseconds timeout = 5s,
                       const std::string& content = "{}");

    /// Runs the shard until `condition` holds. False where that takes longer than 10 seconds.
    template<typename Condition>
    bool run_until(Condition condition, std::chrono::milliseconds patience = 10s) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() >= deadline) return false;
            shard_.restart();
            shard_.run_one_for(5ms);
        }
        return true;
    }

    bool run_until_done(const TestExchange& exchange) {
        return run_until([&] { return exchange.done; });
    }

    /// Sends and waits for the end.
    ports::ExchangeResult exchange(const core::Origin& origin, std::chrono::milliseconds timeout = 5s);

    std::size_t idle() const { return static_cast<net::HttpTransport&>(*transport_).idle(); }
    std::size_t in_flight() const { return static_cast<net::HttpTransport&>(*transport_).in_flight(); }

    void on_exchange_done(ports::Exchange& exchange) override;

    static core::Origin http(const TestServer& server, const std::string& host = "127.0.0.1") {
        return {false, host, server.port()};
    }
    static core::Origin https(const TestServer& server, const std::string& host = "a.test") {
        return {true, host, server.port()};
    }

    static const CertificateAuthority& authority();

    boost::asio::io_context shard_{1};
    config::Delivery config_; ///< allows 127.0.0.0/8 and trusts the test authority
    net::LookupFunction look_up_ = look_up_test_names;
    std::unique_ptr<net::Network> network_;
    std::unique_ptr<ports::Transport> transport_;
    std::deque<TestExchange> exchanges_;
    bool starting_ = false;
    std::function<void(TestExchange&)> on_done_;
};

} // namespace docmap::test
