#include "async/asio_scheduler.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace docmap::async {

namespace {

class AsioTimer final : public Timer {
  public:
    AsioTimer(boost::asio::io_context& context, std::function<void()> callback)
        : timer_(context), state_(std::make_shared<State>(State{std::move(callback), 0, false})) {}

    ~AsioTimer() override { cancel(); }

    void set(base::SteadyTime time) override {
        const std::uint64_t round = ++state_->round;
        state_->pending = true;
        timer_.expires_at(time);
        timer_.async_wait([state = state_, round](const boost::system::error_code&) {
            // A handler that was already queued when the timer was set anew or cancelled belongs to an old
            // round.
            if (!state->pending || state->round != round) return;
            state->pending = false;
            state->callback();
        });
    }

    void cancel() override {
        state_->pending = false;
        timer_.cancel();
    }

    bool pending() const override { return state_->pending; }

  private:
    struct State {
        std::function<void()> callback;
        std::uint64_t round;
        bool pending;
    };

    boost::asio::steady_timer timer_;
    std::shared_ptr<State> state_; ///< outlives the timer while a handler is queued
};

} // namespace

base::SteadyTime AsioScheduler::now() const {
    return std::chrono::steady_clock::now();
}

base::SystemTime AsioScheduler::wall_now() const {
    return base::system_now();
}

std::unique_ptr<Timer> AsioScheduler::make_timer(std::function<void()> callback) {
    return std::make_unique<AsioTimer>(context_, std::move(callback));
}

void AsioScheduler::post(std::function<void()> task) {
    boost::asio::post(context_, std::move(task));
}

} // namespace docmap::async
