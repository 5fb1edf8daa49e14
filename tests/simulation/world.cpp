#include "simulation/world.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace docmap::simulation {

base::SystemTime World::wall(base::SteadyTime time) {
    constexpr std::chrono::milliseconds at_start{1737383403000};
    return base::SystemTime{at_start} + std::chrono::floor<std::chrono::milliseconds>(time - start);
}

void World::at(base::SteadyTime time, std::function<void()> action) {
    agenda_.push_back({std::max(time, now_), numbered_++, std::move(action)});
    std::push_heap(agenda_.begin(), agenda_.end(), later);
}

bool World::step(base::SteadyTime end) {
    if (agenda_.empty() || agenda_.front().time > end) return false;
    std::pop_heap(agenda_.begin(), agenda_.end(), later);
    const Due due = std::move(agenda_.back());
    agenda_.pop_back();
    now_ = due.time;
    ++steps_;
    due.action();
    return true;
}

void World::trace(const std::string& line) const {
    if (!tracing_) return;
    const double seconds = std::chrono::duration<double>(elapsed()).count();
    std::printf("%12.6f %s\n", seconds, line.c_str());
}

} // namespace docmap::simulation
