#include "kafka/wakeup.hpp"

#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace docmap::kafka {

Wakeup::Wakeup() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Wakeup::~Wakeup() {
    close(descriptor_);
}

void Wakeup::signal() {
    const std::uint64_t one = 1;
    // It fails only while the counter stands at its maximum, and then the signal is there already.
    [[maybe_unused]] const auto written = write(descriptor_, &one, sizeof one);
}

void Wakeup::wait(std::chrono::milliseconds timeout) {
    pollfd wanted{descriptor_, POLLIN, 0};
    if (poll(&wanted, 1, static_cast<int>(timeout.count())) <= 0) return;
    std::uint64_t signals = 0;
    [[maybe_unused]] const auto taken = read(descriptor_, &signals, sizeof signals);
}

} // namespace docmap::kafka
