#include "async/shared_slots.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace docmap::async {
namespace {

TEST(SharedSlots, HandsOutNoMoreThanItHas) {
    SharedSlots slots(2, 1);
    slots.on_free(0, [] {});
    EXPECT_TRUE(slots.try_acquire(0));
    EXPECT_TRUE(slots.try_acquire(0));
    EXPECT_FALSE(slots.try_acquire(0));
    EXPECT_EQ(slots.in_use(), 2U);
    slots.release();
    EXPECT_TRUE(slots.try_acquire(0));
}

TEST(SharedSlots, WakesAWaiterOnce) {
    SharedSlots slots(1, 2);
    int woken = 0;
    slots.on_free(0, [&] { ++woken; });
    slots.on_free(1, [] { FAIL() << "waiter 1 did not wait"; });
    EXPECT_TRUE(slots.try_acquire(0));
    EXPECT_FALSE(slots.try_acquire(0));
    EXPECT_FALSE(slots.try_acquire(0));
    slots.release();
    EXPECT_EQ(woken, 1);
    EXPECT_TRUE(slots.try_acquire(0));
    slots.release();
    EXPECT_EQ(woken, 1);
}

/// Threads that take and give slots, and sleep until woken: none may sleep for ever, no limit may be passed.
TEST(SharedSlots, LosesNoWakeUpBetweenThreads) {
    constexpr std::size_t threads = 3;
    constexpr int rounds = 20000;
    SharedSlots slots(1, threads);
    struct Waiter {
        std::mutex mutex;
        std::condition_variable changed;
        bool woken = false;
    };
    std::vector<Waiter> waiters(threads);
    for (std::size_t i = 0; i < threads; ++i)
        slots.on_free(i, [&waiter = waiters[i]] {
            const std::lock_guard lock(waiter.mutex);
            waiter.woken = true;
            waiter.changed.notify_one();
        });
    std::atomic<int> holders{0};
    std::atomic<bool> passed{true};
    std::vector<std::thread> running;
    for (std::size_t i = 0; i < threads; ++i)
        running.emplace_back([&, i] {
            for (int round = 0; round < rounds; ++round) {
                while (!slots.try_acquire(i)) {
                    std::unique_lock lock(waiters[i].mutex);
                    if (!waiters[i].changed.wait_for(lock, std::chrono::seconds{20},
                                                     [&] { return waiters[i].woken; })) {
                        passed = false;
                        return;
                    }
                    waiters[i].woken = false;
                }
                if (holders.fetch_add(1) != 0) passed = false;
                holders.fetch_sub(1);
                slots.release();
            }
        });
    for (std::thread& thread : running)
        thread.join();
    EXPECT_TRUE(passed);
    EXPECT_EQ(slots.in_use(), 0U);
}

} // namespace
} // namespace docmap::async
