// A Kafka record inside the daemon: where it came from and its bytes.
// Immutable and reference-counted; shared by all deliveries of its event, on any thread. Its one allocation
// holds the value, so that a delivery that hangs keeps a record's bytes and not a whole fetch response.
#pragma once

#include "base/time.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::core {

/// Identifies one assignment of one partition to this process; never reused. What a revoked assignment leaves
/// behind is recognised by it.
enum class AssignmentId : std::uint64_t {};

/// Of a record that was not read from a partition now but comes from the delivery queue.
inline constexpr AssignmentId no_assignment{};

class Record;
using RecordPtr = boost::intrusive_ptr<const Record>;

/// What a record is made of. The views are copied by `Record::create`.
struct RecordFields {
    const std::string* topic = nullptr; ///< must outlive the record; topics are interned
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    AssignmentId assignment{};
    std::uint64_t sequence = 0; ///< 0, 1, 2, … in the order received within the assignment
    base::SystemTime timestamp{};
    std::optional<std::string_view> value;
    std::optional<std::string_view> key;
    std::string_view traceparent;
    std::string_view tracestate;
};

class Record {
  public:
    /// Readable bytes behind `value()`, zeroed, as simdjson asks for.
    static constexpr std::size_t padding_bytes = 64;

    static RecordPtr create(const RecordFields& fields);

    Record(const Record&) = delete;
    Record& operator=(const Record&) = delete;

    const std::string& topic() const { return *fields_.topic; }
    std::int32_t partition() const { return fields_.partition; }
    std::int64_t offset() const { return fields_.offset; }
    AssignmentId assignment() const { return fields_.assignment; }
    std::uint64_t sequence() const { return fields_.sequence; }
    base::SystemTime timestamp() const { return fields_.timestamp; }

    /// Nothing where the record's value is null.
    const std::optional<std::string_view>& value() const { return fields_.value; }
    const std::optional<std::string_view>& key() const { return fields_.key; }
    std::string_view traceparent() const { return fields_.traceparent; }
    std::string_view tracestate() const { return fields_.tracestate; }

    /// What the record counts against the intake budget: all of its memory.
    std::size_t budget_bytes() const { return allocated_bytes_; }

  private:
    Record(const RecordFields& fields, std::size_t allocated_bytes);
    ~Record() = default;

    friend void intrusive_ptr_add_ref(const Record* record) noexcept;
    friend void intrusive_ptr_release(const Record* record) noexcept;

    /// One from the start: an atomic operation right after the bytes were written would wait for all of them.
    mutable std::atomic<std::uint32_t> references_{1};
    std::size_t allocated_bytes_;
    RecordFields fields_;
};

} // namespace docmap::core
