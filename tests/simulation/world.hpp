// The simulated world's clock and agenda: one virtual time for all instances, Kafka, PostgreSQL and the
// endpoints. What is due next happens next; what is due at the same time happens in the order it was asked
// for.
#pragma once

#include "base/time.hpp"
#include "simulation/random.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::simulation {

class World {
  public:
    World(std::uint64_t seed, bool tracing) : random_(seed), tracing_(tracing) {}

    World(const World&) = delete;
    World& operator=(const World&) = delete;

    base::SteadyTime now() const { return now_; }
    base::SystemTime wall_now() const { return wall(now_); }
    static base::SystemTime wall(base::SteadyTime time);
    /// Time since the run began.
    std::chrono::nanoseconds elapsed() const { return now_ - start; }

    void at(base::SteadyTime time, std::function<void()> action);
    void after(std::chrono::nanoseconds delay, std::function<void()> action) {
        at(now_ + delay, std::move(action));
    }

    /// Makes the next thing happen, unless it is due after `end`. False: nothing is left until then.
    bool step(base::SteadyTime end);
    std::uint64_t steps() const { return steps_; }

    Random random(std::string_view part) const { return random_.split(part); }
    Random random(std::string_view part, std::uint64_t number) const { return random_.split(part, number); }

    bool tracing() const { return tracing_; }
    /// Writes one line with the virtual time, where the run is traced.
    void trace(const std::string& line) const;

    static constexpr base::SteadyTime start{std::chrono::hours{1}};

  private:
    struct Due {
        base::SteadyTime time;
        std::uint64_t number;
        std::function<void()> action;
    };
    static bool later(const Due& left, const Due& right) {
        return left.time != right.time ? left.time > right.time : left.number > right.number;
    }

    Random random_;
    bool tracing_;
    base::SteadyTime now_ = start;
    std::vector<Due> agenda_; ///< a heap, the next one on top
    std::uint64_t numbered_ = 0;
    std::uint64_t steps_ = 0;
};

} // namespace docmap::simulation
