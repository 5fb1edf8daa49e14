// A librdkafka message made into a record. Called on the Kafka thread.
#pragma once

#include "core/assignment.hpp"
#include "core/record.hpp"

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace docmap::kafka {

/// A longer `traceparent` or `tracestate` header is dropped.
inline constexpr std::size_t max_trace_header_bytes = 512;

/// Copies the message's value, key and trace headers; the message can be destroyed at once.
core::RecordPtr make_record(const rd_kafka_message_t& message, const core::Assignment& assignment,
                            std::uint64_t sequence);

} // namespace docmap::kafka
