#include "daemon/interrupt.hpp"

#include <csignal>
#include <poll.h>

namespace docmap::daemon {

namespace {

volatile std::sig_atomic_t signalled = 0;

void note(int) {
    signalled = 1;
}

/// Also ends the wait of a signal that came between the question and the wait.
constexpr std::chrono::milliseconds longest_wait{100};

} // namespace

Interrupt::Interrupt() {
    struct sigaction action {};
    action.sa_handler = note;
    // Not SA_RESTART: a wait ends with the signal.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool Interrupt::requested() const {
    return signalled != 0;
}

bool Interrupt::sleep(std::chrono::milliseconds duration) const {
    const auto end = std::chrono::steady_clock::now() + duration;
    while (!requested() && std::chrono::steady_clock::now() < end)
        ::poll(nullptr, 0, static_cast<int>(longest_wait.count()));
    return !requested();
}

} // namespace docmap::daemon
