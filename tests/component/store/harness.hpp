// A store on a control thread, as the daemon has it, and ways to wait for what it does.
#pragma once

#include "store/store.hpp"
#include "test_database.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace docmap::test {

inline constexpr std::chrono::seconds patience{20};

/// Waits until `condition` holds, asking again every few milliseconds; false when it never does.
inline bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds longest = patience) {
    const auto deadline = std::chrono::steady_clock::now() + longest;
    std::mutex mutex;
    std::condition_variable pause;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::unique_lock lock(mutex);
        pause.wait_for(lock, std::chrono::milliseconds{5});
    }
    return true;
}

/// An io_context with a thread.
class Loop {
  public:
    Loop() : work_(context_.get_executor()), thread_([this] { context_.run(); }) {}
    ~Loop() {
        work_.reset();
        thread_.join();
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    boost::asio::io_context& context() { return context_; }

    /// Runs a repository call and waits for its result.
    template<typename T>
    T wait(boost::asio::awaitable<T> call) {
        return start(std::move(call)).get();
    }

    template<typename T>
    std::future<T> start(boost::asio::awaitable<T> call) {
        return boost::asio::co_spawn(context_, std::move(call), boost::asio::use_future);
    }

  private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

/// Remembers what it heard.
class RecordingListener final : public ports::SubscriptionListener {
  public:
    void on_webhook_changed(const std::string& user_id, const std::string& webhook_id,
                            bool removed) override {
        const std::lock_guard lock(mutex_);
        changes_.push_back(user_id + "/" + webhook_id + (removed ? "/removed" : "/changed"));
    }
    void on_changes_missed() override {
        const std::lock_guard lock(mutex_);
        ++missed_;
    }
    std::vector<std::string> changes() const {
        const std::lock_guard lock(mutex_);
        return changes_;
    }
    int missed() const {
        const std::lock_guard lock(mutex_);
        return missed_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> changes_;
    int missed_ = 0;
};

/// One instance of the daemon, as far as the database is concerned.
class Instance {
  public:
    explicit Instance(const config::Postgres& postgres,
                      std::chrono::milliseconds queue_lease = std::chrono::seconds{30})
        : store_(store::Store::Settings{.postgres = postgres,
                                        .master_key = master_key(),
                                        .allow_http = true,
                                        .queue_lease = queue_lease},
                 loop_.context().get_executor(), board_, metrics_) {
        store_.start(listener_);
    }
    ~Instance() { store_.stop(); }

    static core::SecretBox::Key master_key() {
        core::SecretBox::Key key{};
        key.fill(7);
        return key;
    }

    store::Store& store() { return store_; }
    Loop& loop() { return loop_; }
    RecordingListener& listener() { return listener_; }
    const base::Metrics& metrics() const { return metrics_; }
    bool ready() const { return board_.ready(); }
    std::string detail() const { return board_.parts().at("postgres").detail; }
    bool become_ready() {
        return eventually([this] { return ready(); });
    }

    /// Writes a batch and waits; the error's message, empty on success.
    template<typename Row>
    std::string write(ports::BatchLog<Row>& log, std::vector<Row> batch,
                      ports::WriteTry write_try = ports::WriteTry::first) {
        std::promise<std::string> written;
        log.write(std::move(batch), write_try, [&](const base::Result<void>& result, std::vector<Row>) {
            written.set_value(result.has_value() ? "" : result.error().message);
        });
        return written.get_future().get();
    }

    base::Result<std::vector<ports::UserSubscriptions>> load(std::vector<std::string> user_ids) {
        std::promise<base::Result<std::vector<ports::UserSubscriptions>>> loaded;
        store_.subscriptions().load(std::move(user_ids),
                                    [&](auto result) { loaded.set_value(std::move(result)); });
        return loaded.get_future().get();
    }

    /// Makes a call of the delivery queue on the control thread and waits for its answer.
    template<typename T, typename Call>
    base::Result<T> ask(Call call) {
        std::promise<base::Result<T>> answered;
        boost::asio::post(loop_.context(), [&] {
            call(store_.delivery_queue(),
                 [&answered](base::Result<T> result) { answered.set_value(std::move(result)); });
        });
        return answered.get_future().get();
    }

  private:
    base::HealthBoard board_;
    base::Metrics metrics_;
    Loop loop_;
    RecordingListener listener_;
    store::Store store_;
};

} // namespace docmap::test
