#include "net/buffer_slots.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace docmap::test {
namespace {

using net::BufferSlots;

BufferSlots& slots() {
    return BufferSlots::of_process();
}

TEST(BufferSlotsTest, slots_do_not_overlap) {
    std::set<void*> taken;
    for (int i = 0; i < 100; ++i) {
        void* const slot = slots().take();
        ASSERT_NE(slot, nullptr);
        std::memset(slot, i, BufferSlots::slot_bytes);
        taken.insert(slot);
    }
    EXPECT_EQ(taken.size(), 100U);
    const std::byte* previous = nullptr;
    for (void* slot : taken) {
        const auto* const bytes = static_cast<std::byte*>(slot);
        EXPECT_EQ(bytes[0], bytes[BufferSlots::slot_bytes - 1]);
        if (previous != nullptr) {
            EXPECT_GE(bytes - previous, static_cast<std::ptrdiff_t>(BufferSlots::slot_bytes));
        }
        previous = bytes;
        slots().give_back(slot);
    }
}

TEST(BufferSlotsTest, the_slot_given_back_last_is_taken_next) {
    void* const slot = slots().take();
    slots().give_back(slot);
    EXPECT_EQ(slots().take(), slot);
    slots().give_back(slot);
}

TEST(BufferSlotsTest, it_knows_its_own_memory) {
    void* const slot = slots().take();
    const int elsewhere = 0;
    EXPECT_TRUE(slots().contains(slot));
    EXPECT_FALSE(slots().contains(&elsewhere));
    EXPECT_FALSE(slots().contains(nullptr));
    slots().give_back(slot);
}

TEST(BufferSlotsTest, a_slot_may_be_given_back_by_another_thread_and_survives_its_end) {
    void* const slot = slots().take();
    std::thread([slot] { slots().give_back(slot); }).join();
    std::vector<void*> taken;
    bool found = false;
    for (int i = 0; i < 200 && !found; ++i) {
        taken.push_back(slots().take());
        found = taken.back() == slot;
    }
    EXPECT_TRUE(found);
    for (void* other : taken)
        slots().give_back(other);
}

} // namespace
} // namespace docmap::test
