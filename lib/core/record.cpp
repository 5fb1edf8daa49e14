#include "core/record.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace docmap::core {

namespace {

/// Copies `text` to `*end`, moves `*end` behind it, and returns the copy.
std::string_view append(char*& end, std::string_view text) {
    const std::string_view copy{end, text.size()};
    end = std::copy(text.begin(), text.end(), end);
    return copy;
}

std::size_t size_of(const std::optional<std::string_view>& text) {
    return text ? text->size() : 0;
}

} // namespace

RecordPtr Record::create(const RecordFields& fields) {
    const std::size_t bytes = sizeof(Record) + size_of(fields.value) + padding_bytes + size_of(fields.key) +
                              fields.traceparent.size() + fields.tracestate.size();
    void* memory = ::operator new(bytes);
    return RecordPtr(new (memory) Record(fields, bytes), false);
}

Record::Record(const RecordFields& fields, std::size_t allocated_bytes)
    : allocated_bytes_(allocated_bytes), fields_(fields) {
    char* end = reinterpret_cast<char*>(this) + sizeof(Record);
    if (fields_.value) fields_.value = append(end, *fields_.value);
    std::memset(end, 0, padding_bytes);
    end += padding_bytes;
    if (fields_.key) fields_.key = append(end, *fields_.key);
    fields_.traceparent = append(end, fields_.traceparent);
    fields_.tracestate = append(end, fields_.tracestate);
}

void intrusive_ptr_add_ref(const Record* record) noexcept {
    record->references_.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const Record* record) noexcept {
    // Whoever has the only reference needs no atomic operation to give it up: nobody else can add one.
    if (record->references_.load(std::memory_order_acquire) != 1 &&
        record->references_.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    record->~Record();
    ::operator delete(const_cast<Record*>(record));
}

} // namespace docmap::core
