#include "async/shared_slots.hpp"

#include <utility>

namespace docmap::async {

SharedSlots::SharedSlots(std::size_t slots, std::size_t waiters)
    : slots_(slots), free_(slots), waiters_(waiters) {}

void SharedSlots::on_free(std::size_t waiter, std::function<void()> wake) {
    waiters_[waiter].wake = std::move(wake);
}

bool SharedSlots::take() {
    std::size_t free = free_.load();
    while (free > 0)
        if (free_.compare_exchange_weak(free, free - 1)) return true;
    return false;
}

bool SharedSlots::try_acquire(std::size_t waiter) {
    if (take()) return true;
    // Announce first, look again after: a slot freed in between is seen here or its release sees the waiter.
    if (!waiters_[waiter].waiting.exchange(true)) waiting_.fetch_add(1);
    if (!take()) return false;
    if (waiters_[waiter].waiting.exchange(false)) waiting_.fetch_sub(1);
    return true;
}

void SharedSlots::release() {
    free_.fetch_add(1);
    if (waiting_.load() == 0) return;
    for (Waiter& waiter : waiters_) {
        if (!waiter.waiting.exchange(false)) continue;
        waiting_.fetch_sub(1);
        waiter.wake();
    }
}

std::size_t SharedSlots::in_use() const {
    return slots_ - free_.load();
}

} // namespace docmap::async
