// Asks the processor to fetch memory that is read soon, while it works on something else. Changes nothing but
// time; the address need not be valid.
#pragma once

#include <cstddef>

namespace docmap::base {

inline void prefetch(const void* memory, std::size_t bytes) {
    constexpr std::size_t cache_line_bytes = 64;
    const auto* const first = static_cast<const char*>(memory);
    for (std::size_t offset = 0; offset < bytes; offset += cache_line_bytes) {
        // GCC takes a function that only prefetches for one without effects, and drops calls of it.
        asm volatile("" : : "r"(first + offset));
        __builtin_prefetch(first + offset);
    }
}

template<typename Object>
void prefetch(const Object* object) {
    prefetch(object, sizeof(Object));
}

} // namespace docmap::base
