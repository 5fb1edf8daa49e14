// A decoded event: a record that keeps the contract, with the fields the daemon needs.
// Immutable and reference-counted; shared by all deliveries of the event, on any thread.
#pragma once

#include "core/record.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace docmap::core {

enum class EventType : std::uint8_t { extraction_completed, extraction_failed };

inline constexpr std::array<EventType, 2> all_event_types = {EventType::extraction_completed,
                                                             EventType::extraction_failed};

/// `extraction.completed` and so on.
std::string_view name_of(EventType type);
std::optional<EventType> parse_event_type(std::string_view name);

class Event;
using EventPtr = boost::intrusive_ptr<const Event>;

struct EventFields {
    EventType type{};
    std::string_view id;            ///< 1–128 of `A-Za-z0-9_.-`
    std::string_view user_id;       ///< 1–128 characters
    std::string_view extraction_id; ///< 1–128 characters
    std::uint64_t body_hash = 0;    ///< XXH3 of the record's value
};

class Event {
  public:
    /// Copies the views. `record` must have a value.
    static EventPtr create(RecordPtr record, const EventFields& fields);

    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    const Record& record() const { return *record_; }
    /// The request body: the record's value, byte for byte.
    std::string_view body() const { return *record_->value(); }
    EventType type() const { return type_; }
    std::string_view id() const { return id_; }
    std::string_view user_id() const { return user_id_; }
    std::string_view extraction_id() const { return extraction_id_; }
    std::uint64_t body_hash() const { return body_hash_; }

  private:
    Event(RecordPtr record, const EventFields& fields);
    ~Event() = default;

    friend void intrusive_ptr_add_ref(const Event* event) noexcept;
    friend void intrusive_ptr_release(const Event* event) noexcept;

    /// One from the start: an atomic operation right after the bytes were written would wait for all of them.
    mutable std::atomic<std::uint32_t> references_{1};
    RecordPtr record_;
    std::string_view id_; ///< this and the next two lie behind the object, in the same allocation
    std::string_view user_id_;
    std::string_view extraction_id_;
    std::uint64_t body_hash_;
    EventType type_;
};

} // namespace docmap::core
