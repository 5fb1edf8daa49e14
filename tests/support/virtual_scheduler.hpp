// A scheduler with a virtual clock, for tests: time stands still until the test moves it.
#pragma once

#include "async/scheduler.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace docmap::test {

class VirtualScheduler final : public async::Scheduler {
  public:
    base::SteadyTime now() const override { return now_; }

    base::SystemTime wall_now() const override {
        return base::SystemTime{std::chrono::milliseconds{1737383403000}} +
               std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
    }

    std::unique_ptr<async::Timer> make_timer(std::function<void()> callback) override {
        return std::make_unique<VirtualTimer>(*this, std::move(callback));
    }

    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }

    /// Runs everything that is due now.
    void run() {
        for (;;) {
            if (!tasks_.empty()) {
                const std::function<void()> task = std::move(tasks_.front());
                tasks_.pop_front();
                task();
            } else if (!timers_.empty() && timers_.begin()->first.first <= now_) {
                VirtualTimer* timer = timers_.begin()->second;
                timer->fire();
            } else {
                return;
            }
        }
    }

    /// Moves time on, stopping at each timer on the way.
    void advance(std::chrono::milliseconds duration) {
        const base::SteadyTime end = now_ + duration;
        run();
        while (!timers_.empty() && timers_.begin()->first.first <= end) {
            now_ = timers_.begin()->first.first;
            run();
        }
        now_ = end;
    }

  private:
    class VirtualTimer final : public async::Timer {
      public:
        VirtualTimer(VirtualScheduler& owner, std::function<void()> callback)
            : owner_(owner), callback_(std::move(callback)) {}
        ~VirtualTimer() override { cancel(); }

        void set(base::SteadyTime time) override {
            cancel();
            key_ = {time, owner_.next_timer_++};
            owner_.timers_[key_] = this;
            pending_ = true;
        }
        void cancel() override {
            if (pending_) owner_.timers_.erase(key_);
            pending_ = false;
        }
        bool pending() const override { return pending_; }
        void fire() {
            cancel();
            const auto callback = callback_;
            callback();
        }

      private:
        VirtualScheduler& owner_;
        std::function<void()> callback_;
        std::pair<base::SteadyTime, std::uint64_t> key_;
        bool pending_ = false;
    };

    base::SteadyTime now_{};
    std::deque<std::function<void()>> tasks_;
    std::map<std::pair<base::SteadyTime, std::uint64_t>, VirtualTimer*> timers_;
    std::uint64_t next_timer_ = 0;
};

} // namespace docmap::test
