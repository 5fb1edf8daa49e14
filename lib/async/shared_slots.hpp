// A number of slots shared by all shards: the limit on attempts in flight over the whole process.
// Thread-safe and lock-free. Outlives the shards.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

namespace docmap::async {

class SharedSlots {
  public:
    /// `waiters`: how many shards may wait for a slot, numbered from 0.
    SharedSlots(std::size_t slots, std::size_t waiters);

    /// Sets what wakes waiter `waiter`; called on whichever thread frees a slot. Before the first use.
    void on_free(std::size_t waiter, std::function<void()> wake);

    /// Takes a slot. Where none is free the waiter is woken once, as soon as one may be.
    bool try_acquire(std::size_t waiter);

    void release();

    /// Whether others than `waiter` want a slot: who could use a freed one again should let it go now and
    /// then.
    bool others_wait(std::size_t waiter) const {
        const std::size_t itself = waiters_[waiter].waiting.load(std::memory_order_relaxed) ? 1 : 0;
        return waiting_.load(std::memory_order_relaxed) > itself;
    }

    std::size_t in_use() const;

  private:
    struct alignas(64) Waiter {
        std::atomic<bool> waiting{false};
        std::function<void()> wake;
    };

    bool take();

    std::size_t slots_;
    alignas(64) std::atomic<std::size_t> free_;
    std::atomic<std::size_t> waiting_{0};
    std::vector<Waiter> waiters_;
};

} // namespace docmap::async
