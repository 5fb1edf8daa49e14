#include "core/replay_progress.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

namespace docmap::core {

namespace {

constexpr std::size_t widest_bar = 30;
constexpr std::size_t narrowest_bar = 10;
/// What stands behind the bar grows while a replay runs; the bar should not shrink for that.
constexpr std::size_t usual_line = 66;
/// Before this much has passed a speed says nothing.
constexpr std::chrono::milliseconds least_time{500};

/// `1234567` as `1,234,567`.
std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t place = digits.size(); place > 3; place -= 3)
        digits.insert(place - 3, ",");
    return digits;
}

std::string duration_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
    if (whole < 120) return std::to_string(whole) + " s";
    if (whole < 7200) return std::to_string((whole + 59) / 60) + " min";
    return std::to_string((whole + 3599) / 3600) + " h";
}

double share_of(const ReplayProgress& progress) {
    if (progress.total == 0) return 1.0;
    return static_cast<double>(std::min(progress.done, progress.total)) / static_cast<double>(progress.total);
}

std::optional<double> speed_of(const ReplayProgress& progress) {
    if (progress.elapsed < least_time || progress.done <= progress.done_before) return std::nullopt;
    return static_cast<double>(progress.done - progress.done_before) /
           std::chrono::duration<double>(progress.elapsed).count();
}

} // namespace

std::string progress_line(const ReplayProgress& progress) {
    // Rounded down: 100 % is the end, not nearly the end.
    const auto percent = static_cast<std::uint64_t>(share_of(progress) * 100);
    std::string line = std::to_string(percent) + " %  " + grouped(progress.done) + " of " +
                       grouped(progress.total) + " records  " + grouped(progress.queued) + " queued";
    if (const auto speed = speed_of(progress)) {
        line += "  " + grouped(static_cast<std::uint64_t>(*speed)) + "/s";
        if (progress.done < progress.total)
            line +=
                "  " + duration_text(static_cast<double>(progress.total - progress.done) / *speed) + " left";
    }
    return line;
}

std::string progress_bar(const ReplayProgress& progress, std::size_t columns) {
    const std::string line = progress_line(progress);
    // "[" and "] " around the bar.
    const std::size_t taken = std::max(line.size(), usual_line) + 3;
    const std::size_t room = columns > taken ? columns - taken : 0;
    const std::size_t width = std::clamp(room, narrowest_bar, widest_bar);
    const auto filled = static_cast<std::size_t>(share_of(progress) * static_cast<double>(width));
    std::string bar = "[" + std::string(filled, '#') + std::string(width - filled, '-') + "] " + line;
    if (bar.size() > columns) bar.resize(columns);
    return bar;
}

} // namespace docmap::core
