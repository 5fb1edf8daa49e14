// A simulated thread of an instance: an async::Scheduler on the world's clock. Tasks run in the order they
// were posted; how the threads of an instance interleave is left to chance. A thread can be frozen with its
// whole instance (SIGSTOP) and dies with it: nothing of it runs afterwards.
#pragma once

#include "async/scheduler.hpp"
#include "simulation/world.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace docmap::simulation {

/// What the threads of one life of an instance share.
struct LifeState {
    std::uint64_t number = 0; ///< counts the lives of all instances, from 1
    std::string name;         ///< for traces: `instance.life`
    bool alive = true;
    bool draining = false;
    base::SteadyTime frozen_until{};
    base::SteadyTime last_frozen_until{}; ///< end of the newest freeze, also once it is over
};

using LifePtr = std::shared_ptr<LifeState>;

class Thread final : public async::Scheduler {
  public:
    Thread(World& world, LifePtr life, Random random)
        : world_(world), life_(std::move(life)), random_(random),
          state_(std::make_shared<State>(State{this})) {}
    ~Thread() override { state_->thread = nullptr; }

    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;

    base::SteadyTime now() const override { return world_.now(); }
    base::SystemTime wall_now() const override { return world_.wall_now(); }
    std::unique_ptr<async::Timer> make_timer(std::function<void()> callback) override;
    void post(std::function<void()> task) override;

    /// Posts from outside the life: from the database, Kafka or an endpoint. Does nothing once it has ended.
    class Mailbox {
      public:
        void post(std::function<void()> task) const {
            if (state_->thread != nullptr) state_->thread->post(std::move(task));
        }

      private:
        friend class Thread;
        struct State {
            Thread* thread;
        };
        explicit Mailbox(std::shared_ptr<State> state) : state_(std::move(state)) {}
        std::shared_ptr<State> state_;
    };
    Mailbox mailbox() const { return Mailbox(state_); }

  private:
    class Alarm;
    using State = Mailbox::State;

    void schedule_turn();
    void turn();

    World& world_;
    LifePtr life_;
    Random random_;
    std::shared_ptr<State> state_;
    std::deque<std::function<void()>> tasks_;
    bool turn_scheduled_ = false;
};

} // namespace docmap::simulation
