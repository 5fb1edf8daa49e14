// Turns a Kafka record into an event, or says why it is none.
// A decoder keeps its JSON parser, whose memory grows with the largest record so far: about 14 times its
// size, rounded up to a power of two. Lives on the control thread, owned by the pipeline.
#pragma once

#include "base/error.hpp"
#include "core/event.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace docmap::core {

/// An event, or as the error's message the reason to store with the rejected record: one line that names the
/// field, the rule, and what it has instead.
using DecodeResult = base::Result<EventPtr>;

class EventDecoder {
  public:
    /// Arrays and objects nested deeper than this are refused; receivers' parsers have limits like it.
    static constexpr std::size_t max_depth = 512;

    explicit EventDecoder(std::size_t max_event_bytes);
    ~EventDecoder();

    /// Checks the whole value, parsed in place: size, UTF-8, JSON, then the fields. Allocates only the event.
    ///
    /// Where the contract leaves it open:
    /// - `null` in an optional field counts as absent.
    /// - A field that the daemon reads may be there once: else, which one counts would depend on the reader.
    /// - A byte order mark is no JSON (RFC 8259, section 8.1).
    /// - Numbers may have any size, and strings may hold escapes of unpaired surrogates: both are JSON. Only
    ///   in a field that the daemon reads such an escape is refused.
    ///
    /// Without an `id`, the event's id is `<topic>-<partition>-<offset>`. A hash stands for the topic's name
    /// where that is longer than 128 characters, or where the name has a character that an id may not have.
    DecodeResult decode(const RecordPtr& record);

  private:
    class Parser;

    std::size_t max_event_bytes_;
    std::unique_ptr<Parser> parser_;
};

} // namespace docmap::core
