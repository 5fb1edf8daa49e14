#include "daemon/replay_display.hpp"

#include "core/replay_progress.hpp"

#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace docmap::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto bar_interval = 200ms;
constexpr auto line_interval = 10s;
constexpr std::size_t usual_columns = 80;
constexpr const char* clear_line = "\r\x1b[K";

std::size_t columns() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_columns;
    return size.ws_col;
}

} // namespace

ReplayDisplay::ReplayDisplay() : terminal_(isatty(STDERR_FILENO) == 1) {}

void ReplayDisplay::begin(std::uint64_t total, std::uint64_t done) {
    total_ = total;
    done_before_ = done;
    started_at_ = std::chrono::steady_clock::now();
    // A bar is there from the start; a line comes once there is something to say.
    shown_at_ = terminal_ ? base::SteadyTime{} : started_at_;
}

void ReplayDisplay::update(std::uint64_t done, std::uint64_t queued) {
    const base::SteadyTime now = std::chrono::steady_clock::now();
    const auto interval = terminal_ ? std::chrono::milliseconds{bar_interval} : line_interval;
    if (now - shown_at_ < interval) return;
    shown_at_ = now;
    const core::ReplayProgress progress{
        done, total_, queued, done_before_,
        std::chrono::duration_cast<std::chrono::milliseconds>(now - started_at_)};
    if (!terminal_) {
        tell(core::progress_line(progress));
        return;
    }
    std::cerr << clear_line << core::progress_bar(progress, columns() - 1) << std::flush;
    bar_shown_ = true;
}

void ReplayDisplay::tell(const std::string& message) {
    clear();
    std::cerr << "docmap-webhookd replay: " << message << std::endl;
}

void ReplayDisplay::clear() {
    if (bar_shown_) std::cerr << clear_line << std::flush;
    bar_shown_ = false;
}

} // namespace docmap::daemon
