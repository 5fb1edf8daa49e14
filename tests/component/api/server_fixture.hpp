// A server on a free port with a thread of its own, over ports kept in memory.
#pragma once

#include "api/server.hpp"
#include "component/api/raw_client.hpp"
#include "support/api_doubles.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace docmap::test {

/// A door in the way of a coroutine: closed until the test opens it.
class Door {
  public:
    explicit Door(asio::io_context& context) : context_(context), timer_(context, base::SteadyTime::max()) {}

    /// Waits until the door is open. On the context's thread.
    asio::awaitable<void> pass() {
        {
            const std::lock_guard lock(mutex_);
            ++waiting_;
        }
        arrived_.notify_all();
        if (!open_) co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }

    void open() {
        asio::post(context_, [this] {
            open_ = true;
            timer_.cancel();
        });
    }

    /// Blocks the test until somebody waits at the door; false after ten seconds.
    bool wait_for_visitor() {
        std::unique_lock lock(mutex_);
        return arrived_.wait_for(lock, std::chrono::seconds(10), [this] { return waiting_ > 0; });
    }

  private:
    asio::io_context& context_;
    asio::steady_timer timer_;
    bool open_ = false; ///< context's thread
    std::mutex mutex_;
    std::condition_variable arrived_;
    int waiting_ = 0;
};

class ServerTest : public testing::Test {
  protected:
    ServerTest() {
        config.listen_port = 0;
        keys.add(key, "uid_1");
    }

    ~ServerTest() override {
        if (thread_.joinable()) {
            if (!stopped_.valid()) stop(std::chrono::seconds(5));
            stopped_.wait();
            work_.reset();
            thread_.join();
        }
    }

    std::unique_ptr<api::Server> make_server() {
        return std::make_unique<api::Server>(
            config, context.get_executor(),
            api::Services{webhooks, deliveries, keys, changes, health, metrics, policy, false});
    }

    void start() {
        server_ = make_server();
        const base::Result<std::uint16_t> started = server_->start();
        ASSERT_TRUE(started) << started.error().message;
        port = *started;
        thread_ = std::thread([this] { context.run(); });
    }

    void stop(std::chrono::milliseconds patience) {
        auto done = std::make_shared<std::promise<void>>();
        stopped_ = done->get_future();
        server_->stop(std::chrono::steady_clock::now() + patience, [done] { done->set_value(); });
    }

    bool has_stopped(std::chrono::milliseconds patience) {
        return stopped_.wait_for(patience) == std::future_status::ready;
    }

    /// A request as clients send it; `more` are header lines, each with its line end.
    static std::string request(const std::string& line, const std::string& body = {},
                               const std::string& more = {}) {
        std::string text =
            line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key + "\r\n" + more;
        if (!body.empty())
            text +=
                "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
        return text + "\r\n" + body;
    }

    static inline const std::string key = "dm_live_" + std::string(64, '1');
    static inline const std::string webhook_json =
        R"({"url":"https://your-app.com/webhooks/docmap","events":["extraction.completed"]})";

    config::Api config;
    asio::io_context context{1};
    InMemoryKeys keys;
    InMemoryWebhooks webhooks;
    InMemoryDeliveries deliveries;
    RecordedChanges changes;
    base::HealthBoard health;
    base::Metrics metrics;
    core::AddressPolicy policy;
    std::uint16_t port = 0;

  private:
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context);
    std::unique_ptr<api::Server> server_;
    std::future<void> stopped_;
    std::thread thread_;
};

} // namespace docmap::test
