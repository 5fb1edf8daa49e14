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
    if (signalled_.exchange(true)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(descriptor_, &one, sizeof one);
}

void Wakeup::wait(std::chrono::milliseconds timeout) {
    pollfd wanted{descriptor_, POLLIN, 0};
    if (poll(&wanted, 1, static_cast<int>(timeout.count())) <= 0) return;
    std::uint64_t signals = 0;
    [[maybe_unused]] const auto taken = read(descriptor_, &signals, sizeof signals);
    // Only now: whoever signals from here on writes again, and its reason is looked for after this.
    signalled_.store(false);
}

void QueueSignal::attach(rd_kafka_queue_t& queue) {
    const auto on_filled = [](rd_kafka_t*, void* opaque) {
        auto& signal = *static_cast<QueueSignal*>(opaque);
        signal.set();
        signal.wakeup_.signal();
    };
    rd_kafka_queue_cb_event_enable(&queue, on_filled, this);
}

} // namespace docmap::kafka
