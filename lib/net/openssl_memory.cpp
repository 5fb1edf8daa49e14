#include "net/openssl_memory.hpp"

#include "net/buffer_slots.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <malloc.h>

namespace docmap::net {
namespace {

/// The sizes of buffers: of a BIO exactly, of a record or a handshake message at least. Objects lie between,
/// and stay.
constexpr std::size_t bio_buffer_bytes = 4096;
constexpr std::size_t smallest_record_buffer_bytes = 16 * 1024;

/// Set before OpenSSL calls in here.
BufferSlots* slots = nullptr;

bool belongs_in_slot(std::size_t size) {
    return size == bio_buffer_bytes ||
           (size >= smallest_record_buffer_bytes && size <= BufferSlots::slot_bytes);
}

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) {
    if (size == 0) return nullptr;
    if (belongs_in_slot(size))
        if (void* slot = slots->take()) return slot;
    return std::malloc(size);
}

void release(void* memory, const char* /*file*/, int /*line*/) {
    if (slots->contains(memory))
        slots->give_back(memory);
    else
        std::free(memory);
}

void* reallocate(void* memory, std::size_t size, const char* file, int line) {
    const bool in_slot = slots->contains(memory);
    if (!in_slot && !belongs_in_slot(size)) return std::realloc(memory, size);
    if (in_slot && size != 0 && size <= BufferSlots::slot_bytes) return memory;

    void* const moved = allocate(size, file, line);
    if (moved == nullptr && size != 0) return nullptr;
    if (memory != nullptr) {
        const std::size_t held = in_slot ? BufferSlots::slot_bytes : ::malloc_usable_size(memory);
        if (moved != nullptr) std::memcpy(moved, memory, std::min(size, held));
        release(memory, file, line);
    }
    return moved;
}

} // namespace

bool use_pooled_openssl_memory() {
    slots = &BufferSlots::of_process();
    return CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

} // namespace docmap::net
