#include "net/buffer_slots.hpp"

#include <array>
#include <sys/mman.h>

namespace docmap::net {

/// Slots whose memory is still in the processor's caches, the last one used on top.
struct BufferSlots::ThreadCache {
    std::array<void*, 8> slots{};
    std::size_t size = 0;

    ThreadCache() = default;
    ThreadCache(const ThreadCache&) = delete;
    ThreadCache& operator=(const ThreadCache&) = delete;
    ~ThreadCache() {
        while (size > 0)
            of_process().release_memory(slots[--size]);
        size = slots.size(); // full, should OpenSSL free more in this thread
    }
};

BufferSlots& BufferSlots::of_process() {
    // OpenSSL frees memory until the very end of the process.
    static BufferSlots* const slots = new BufferSlots();
    return *slots;
}

BufferSlots::ThreadCache& BufferSlots::cache() {
    thread_local ThreadCache kept;
    return kept;
}

BufferSlots::BufferSlots() {
    constexpr std::size_t bytes = slot_bytes * max_slots;
    void* const reserved =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return; // then there are no slots, and the heap serves
    begin_ = static_cast<std::byte*>(reserved);
    end_ = begin_ + bytes;
    unused_ = begin_;
}

void* BufferSlots::take() {
    ThreadCache& kept = cache();
    if (kept.size > 0 && kept.size < kept.slots.size()) return kept.slots[--kept.size];
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
        void* const slot = free_.back();
        free_.pop_back();
        return slot;
    }
    if (unused_ == end_) return nullptr;
    void* const slot = unused_;
    unused_ += slot_bytes;
    return slot;
}

void BufferSlots::give_back(void* slot) {
    ThreadCache& kept = cache();
    if (kept.size < kept.slots.size() - 1)
        kept.slots[kept.size++] = slot;
    else
        release_memory(slot);
}

void BufferSlots::release_memory(void* slot) {
    ::madvise(slot, slot_bytes, MADV_DONTNEED);
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
}

} // namespace docmap::net
