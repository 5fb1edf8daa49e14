// Owns things and finds them by a hash that stands for their identity. Unlike in the containers of the
// libraries, the place where a hash is looked for can be fetched ahead, so that the processor waits for the
// memory of many look-ups at once. Open addressing with linear probing, at most half full; grows, and
// shrinks only when it is cleared. Lives on one thread.
#pragma once

#include "base/prefetch.hpp"

#include <bit>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace docmap::base {

/// `Low` gives some 32 well mixed bits or more of a hash.
template<typename Hash, typename T, typename Low>
class HashIndex {
  public:
    HashIndex() = default;
    HashIndex(const HashIndex&) = delete;
    HashIndex& operator=(const HashIndex&) = delete;

    std::size_t size() const { return size_; }

    /// Fetches what find() reads first.
    void fetch_ahead(const Hash& hash) const { prefetch(&slots_[home(hash)]); }

    /// Null where there is none.
    T* find(const Hash& hash) const { return slots_[slot_of(hash)].item.get(); }

    /// The hash must not be in it yet; the item must not be null.
    T& insert(const Hash& hash, std::unique_ptr<T> item) {
        if (2 * (size_ + 1) > slots_.size()) grow();
        ++size_;
        Slot& slot = slots_[slot_of(hash)];
        slot = {hash, std::move(item)};
        return *slot.item;
    }

    /// The item, which is the caller's now; null where there was none.
    std::unique_ptr<T> erase(const Hash& hash) {
        std::size_t hole = slot_of(hash);
        std::unique_ptr<T> item = std::move(slots_[hole].item);
        if (!item) return nullptr;
        --size_;
        // Those behind move up where they would not be found over the hole.
        for (std::size_t at = next(hole); slots_[at].item; at = next(at)) {
            if (distance(home(slots_[at].hash), at) < distance(hole, at)) continue;
            slots_[hole] = std::move(slots_[at]);
            hole = at;
        }
        return item;
    }

    void clear() {
        slots_ = std::vector<Slot>(fewest_slots);
        mask_ = fewest_slots - 1;
        size_ = 0;
    }

  private:
    /// Never in two cache lines.
    struct alignas(std::bit_ceil(sizeof(Hash) + sizeof(void*))) Slot {
        Hash hash{};
        std::unique_ptr<T> item; ///< null: the slot is free
    };

    static constexpr std::size_t fewest_slots = 16;

    std::size_t home(const Hash& hash) const { return static_cast<std::size_t>(Low{}(hash)) & mask_; }
    std::size_t next(std::size_t slot) const { return (slot + 1) & mask_; }
    std::size_t distance(std::size_t from, std::size_t to) const { return (to - from) & mask_; }

    /// Where it is, or else would be inserted.
    std::size_t slot_of(const Hash& hash) const {
        std::size_t slot = home(hash);
        while (slots_[slot].item && slots_[slot].hash != hash)
            slot = next(slot);
        return slot;
    }

    void grow() {
        std::vector<Slot> before(2 * slots_.size());
        before.swap(slots_);
        mask_ = slots_.size() - 1;
        for (Slot& slot : before)
            if (slot.item) slots_[slot_of(slot.hash)] = std::move(slot);
    }

    std::vector<Slot> slots_ = std::vector<Slot>(fewest_slots);
    std::size_t mask_ = fewest_slots - 1; ///< the number of slots is a power of two
    std::size_t size_ = 0;
};

} // namespace docmap::base
