// Equal slots of memory for large buffers that live shortly, in a range of addresses of their own: what is
// given back goes back to the system, without holes between what stays. One per process; thread-safe; never
// freed. Each thread keeps a few slots for its next buffers, and gives them back when it ends.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

namespace docmap::net {

class BufferSlots {
  public:
    static constexpr std::size_t slot_bytes =
        24 * 1024;                                   ///< a TLS record or handshake message, in whole pages
    static constexpr std::size_t max_slots = 100000; ///< addresses are reserved for these, memory is not

    static BufferSlots& of_process();

    /// A slot, with any content. Null where all are taken.
    void* take();

    void give_back(void* slot);

    bool contains(const void* memory) const { return memory >= begin_ && memory < end_; }

  private:
    struct ThreadCache;

    BufferSlots();

    static ThreadCache& cache();
    void release_memory(void* slot);

    std::byte* begin_ = nullptr;
    std::byte* end_ = nullptr;
    std::mutex mutex_;
    std::byte* unused_ = nullptr; ///< from here on no slot was ever taken
    std::vector<void*> free_;
};

} // namespace docmap::net
