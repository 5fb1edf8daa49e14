#include "kafka/read_pace.hpp"

#include <cmath>

namespace docmap::kafka {
namespace {

/// What lies so far back counts a third.
constexpr std::chrono::duration<double> memory = std::chrono::milliseconds{50};

/// Fewer than these are not worth the wait.
constexpr double min_gathered = 8;

} // namespace

std::chrono::milliseconds ReadPace::after_read(std::size_t records, base::SteadyTime now) {
    if (records == 0) return {};
    const std::chrono::duration<double> elapsed = now - last_read_;
    last_read_ = now;
    recent_records_ = recent_records_ * std::exp(-(elapsed / memory)) + static_cast<double>(records);
    const double expected = recent_records_ * (linger_ / memory);
    return expected < min_gathered ? std::chrono::milliseconds{0} : linger_;
}

} // namespace docmap::kafka
