#include "component/net/transport_fixture.hpp"

#include "net/openssl_memory.hpp"

#include <cstdlib>
#include <utility>

namespace docmap::test {
namespace {

/// As the daemon does it: before OpenSSL is used for the first time.
const bool memory_is_pooled = net::use_pooled_openssl_memory();

/// The system's authorities: no test needs them, and they take long to load with sanitizers.
const bool authorities_are_skipped =
    ::setenv("SSL_CERT_FILE", "/dev/null", 1) == 0 && ::setenv("SSL_CERT_DIR", "/dev/null", 1) == 0;

TEST(OpensslMemoryTest, it_is_used_from_the_start) {
    EXPECT_TRUE(memory_is_pooled);
}

} // namespace

net::ResolverAnswer look_up_test_names(const std::string& host) {
    if (host.ends_with(".test")) return {{base::IpAddress::v4({127, 0, 0, 1})}, {}};
    return {{}, "DNS lookup failed: " + host + ": Name or service not known"};
}

const CertificateAuthority& TransportTest::authority() {
    static const CertificateAuthority authority;
    return authority;
}

TransportTest::TransportTest() {
    config_.allow_networks = {"127.0.0.0/8"};
    config_.ca_file = authority().file();
}

void TransportTest::connect_network() {
    transport_.reset();
    network_ = std::move(net::Network::create(config_, 1, look_up_).value());
    transport_ = network_->make_transport(shard_, *this);
}

TestExchange& TransportTest::send(const core::Origin& origin, std::chrono::milliseconds timeout,
                                  const std::string& content) {
    if (!transport_) connect_network();
    TestExchange& exchange = exchanges_.emplace_back();
    exchange.target = origin;
    exchange.content = content;
    exchange.origin = &exchange.target;
    exchange.head =
        "POST /hook HTTP/1.1\r\nHost: a.test\r\nContent-Length: " + std::to_string(content.size()) +
        "\r\n\r\n";
    exchange.body = exchange.content;
    exchange.start_time = std::chrono::steady_clock::now();
    exchange.deadline = exchange.start_time + timeout;
    starting_ = true;
    transport_->start(exchange);
    starting_ = false;
    return exchange;
}

ports::ExchangeResult TransportTest::exchange(const core::Origin& origin, std::chrono::milliseconds timeout) {
    TestExchange& sent = send(origin, timeout);
    EXPECT_TRUE(run_until_done(sent));
    return sent.result;
}

void TransportTest::on_exchange_done(ports::Exchange& ended) {
    auto& exchange = static_cast<TestExchange&>(ended);
    EXPECT_FALSE(starting_) << "the listener was called inside start()";
    EXPECT_FALSE(exchange.done) << "the listener was called twice";
    exchange.done = true;
    exchange.ended = std::chrono::steady_clock::now();
    if (on_done_) on_done_(exchange);
}

} // namespace docmap::test
