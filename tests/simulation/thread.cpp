#include "simulation/thread.hpp"

#include <utility>

namespace docmap::simulation {

using namespace std::chrono_literals;

/// A timer of a thread. What it has asked of the world outlives it and finds it gone.
class Thread::Alarm final : public async::Timer {
  public:
    Alarm(World& world, LifePtr life, std::function<void()> callback)
        : world_(world), life_(std::move(life)), setting_(std::make_shared<Setting>()) {
        setting_->callback = std::move(callback);
    }
    ~Alarm() override { cancel(); }

    void set(base::SteadyTime time) override {
        ++setting_->number;
        setting_->pending = true;
        expect(world_, life_, setting_, time);
    }
    void cancel() override {
        ++setting_->number;
        setting_->pending = false;
    }
    bool pending() const override { return setting_->pending; }

  private:
    struct Setting {
        std::function<void()> callback;
        std::uint64_t number = 0;
        bool pending = false;
    };

    static void expect(World& world, const LifePtr& life, const std::shared_ptr<Setting>& setting,
                       base::SteadyTime time) {
        world.at(time, [&world, life, setting, number = setting->number] {
            if (!life->alive || !setting->pending || setting->number != number) return;
            if (world.now() < life->frozen_until) {
                expect(world, life, setting, life->frozen_until);
                return;
            }
            setting->pending = false;
            setting->callback();
        });
    }

    World& world_;
    LifePtr life_;
    std::shared_ptr<Setting> setting_;
};

std::unique_ptr<async::Timer> Thread::make_timer(std::function<void()> callback) {
    return std::make_unique<Alarm>(world_, life_, std::move(callback));
}

void Thread::post(std::function<void()> task) {
    tasks_.push_back(std::move(task));
    schedule_turn();
}

void Thread::schedule_turn() {
    if (std::exchange(turn_scheduled_, true)) return;
    const auto delay = random_.chance(0.02) ? random_.between(0ns, 3ms) : random_.between(0ns, 40us);
    world_.after(delay, [state = state_] {
        if (state->thread != nullptr) state->thread->turn();
    });
}

void Thread::turn() {
    if (world_.now() < life_->frozen_until) {
        world_.at(life_->frozen_until, [state = state_] {
            if (state->thread != nullptr) state->thread->turn();
        });
        return;
    }
    turn_scheduled_ = false;
    for (std::size_t left = random_.between(1, static_cast<std::int64_t>(tasks_.size())); left > 0; --left) {
        const std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
    }
    if (!tasks_.empty()) schedule_turn();
}

} // namespace docmap::simulation
