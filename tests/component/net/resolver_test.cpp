// Name resolution on the resolver's own threads.
#include "net/resolver.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

namespace docmap::test {
namespace {

using namespace std::chrono_literals;

/// Looks names up as told; names that start with "slow" wait for release().
class ResolverTest : public testing::Test {
  protected:
    ~ResolverTest() override { release(); }

    void make(net::ResolverSettings settings) {
        resolver_.emplace(settings, [this](const std::string& host) { return look_up(host); });
    }

    net::ResolverAnswer look_up(const std::string& host) {
        ++lookups_;
        if (host.starts_with("slow")) released_.wait();
        if (host.starts_with("missing"))
            return {{}, "DNS lookup failed: " + host + ": Name or service not known"};
        if (host.starts_with("throws")) throw std::runtime_error("out of luck");
        return {{base::IpAddress::v4({192, 0, 2, 1})}, {}};
    }

    void release() {
        if (!std::exchange(is_released_, true)) release_.set_value();
    }

    net::PendingLookupPtr ask(const std::string& host) {
        return resolver_->ask(host, context_,
                              [this](const net::ResolverAnswer& answer) { answers_.push_back(answer); });
    }

    bool run_until_answers(std::size_t count) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (answers_.size() < count && std::chrono::steady_clock::now() < deadline) {
            context_.restart();
            context_.run_one_for(5ms);
        }
        return answers_.size() >= count;
    }

    boost::asio::io_context context_{1};
    std::promise<void> release_;
    std::shared_future<void> released_{release_.get_future()};
    bool is_released_ = false;
    std::atomic<int> lookups_ = 0;
    std::vector<net::ResolverAnswer> answers_;
    std::optional<net::Resolver> resolver_;
};

TEST_F(ResolverTest, an_address_in_text_takes_no_lookup) {
    make({});
    const net::ResolverAnswerPtr four = resolver_->find("192.0.2.7");
    ASSERT_NE(four, nullptr);
    EXPECT_EQ(four->addresses.at(0).to_string(), "192.0.2.7");
    const net::ResolverAnswerPtr six = resolver_->find("2001:db8::1");
    ASSERT_NE(six, nullptr);
    EXPECT_EQ(six->addresses.at(0).to_string(), "2001:db8::1");
    EXPECT_EQ(lookups_, 0);
}

TEST_F(ResolverTest, answers_and_failures_are_remembered) {
    make({});
    EXPECT_EQ(resolver_->find("a.example"), nullptr);
    ask("a.example");
    ask("missing.example");
    ASSERT_TRUE(run_until_answers(2));
    ASSERT_NE(resolver_->find("a.example"), nullptr);
    EXPECT_EQ(resolver_->find("a.example")->addresses.size(), 1U);
    ASSERT_NE(resolver_->find("missing.example"), nullptr);
    EXPECT_EQ(resolver_->find("missing.example")->error,
              "DNS lookup failed: missing.example: Name or service not known");
    EXPECT_EQ(lookups_, 2);
}

TEST_F(ResolverTest, an_answer_is_forgotten_when_its_time_is_over) {
    make({.cache_ttl = 0ms});
    ask("a.example");
    ASSERT_TRUE(run_until_answers(1));
    EXPECT_EQ(resolver_->find("a.example"), nullptr);
    ask("a.example");
    ASSERT_TRUE(run_until_answers(2));
    EXPECT_EQ(lookups_, 2);
}

TEST_F(ResolverTest, one_lookup_answers_all_who_ask) {
    make({});
    for (int i = 0; i < 10; ++i)
        ask("slow.example");
    release();
    ASSERT_TRUE(run_until_answers(10));
    EXPECT_EQ(lookups_, 1);
}

TEST_F(ResolverTest, a_cancelled_asker_hears_nothing) {
    make({});
    const net::PendingLookupPtr cancelled = ask("slow.example");
    ask("slow.example");
    cancelled->cancel();
    release();
    ASSERT_TRUE(run_until_answers(1));
    context_.restart();
    context_.run_for(20ms);
    EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(ResolverTest, an_exception_becomes_a_failure) {
    make({});
    ask("throws.example");
    ASSERT_TRUE(run_until_answers(1));
    EXPECT_EQ(answers_[0].error, "DNS lookup failed: throws.example: out of luck");
}

TEST_F(ResolverTest, hosts_known_as_slow_leave_threads_to_the_others) {
    make({.threads = 2, .cache_ttl = 0ms, .slow_after = 0ms});
    for (const char* host : {"slow-1.example", "slow-2.example"})
        ask(host);
    release();
    ASSERT_TRUE(run_until_answers(2));

    release_ = {};
    is_released_ = false;
    released_ = release_.get_future();
    for (const char* host : {"slow-1.example", "slow-2.example"})
        ask(host);
    ask("new.example");
    ASSERT_TRUE(run_until_answers(3)); // while the slow ones wait
    release();
    ASSERT_TRUE(run_until_answers(5));
}

TEST_F(ResolverTest, remembered_hosts_are_bounded) {
    make({.max_hosts = 2});
    for (const char* host : {"a.example", "b.example", "c.example"}) {
        ask(host);
        ASSERT_TRUE(run_until_answers(answers_.size() + 1));
    }
    EXPECT_EQ(resolver_->find("a.example"), nullptr);
    EXPECT_NE(resolver_->find("b.example"), nullptr);
    EXPECT_NE(resolver_->find("c.example"), nullptr);
}

TEST_F(ResolverTest, too_many_hosts_at_once_are_refused) {
    make({.max_hosts = 1});
    ask("slow-1.example");
    ask("slow-2.example");
    ASSERT_TRUE(run_until_answers(1));
    EXPECT_EQ(answers_[0].error, "DNS lookup failed: slow-2.example: too many lookups are under way");
}

TEST_F(ResolverTest, stopping_does_not_wait_for_a_lookup_that_hangs) {
    // What the thread left behind uses has to outlive the test.
    static std::promise<void> release;
    static std::shared_future<void> released(release.get_future());
    net::Resolver resolver({.threads = 1, .stop_patience = 50ms}, [](const std::string&) {
        released.wait();
        return net::ResolverAnswer{};
    });
    resolver.ask("slow.example", context_, [](const net::ResolverAnswer&) { ADD_FAILURE() << "answered"; });
    const auto started = std::chrono::steady_clock::now();
    resolver.stop();
    EXPECT_LE(std::chrono::steady_clock::now() - started, 2s);
    release.set_value();
    context_.run_for(20ms);
}

TEST(SystemLookupTest, the_machines_own_name_is_found) {
    const net::ResolverAnswer answer = net::look_up_with_system("localhost");
    EXPECT_EQ(answer.error, "");
    EXPECT_FALSE(answer.addresses.empty());
}

TEST(SystemLookupTest, a_name_that_cannot_exist_is_reported) {
    const net::ResolverAnswer answer = net::look_up_with_system("no-such-host.invalid");
    EXPECT_TRUE(answer.addresses.empty());
    EXPECT_TRUE(answer.error.starts_with("DNS lookup failed: no-such-host.invalid: ")) << answer.error;
}

} // namespace
} // namespace docmap::test
