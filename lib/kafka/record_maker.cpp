#include "kafka/record_maker.hpp"

#include "base/time.hpp"

#include <optional>

namespace docmap::kafka {

namespace {

std::optional<std::string_view> to_view(const void* data, std::size_t size) {
    if (data == nullptr) return std::nullopt;
    return std::string_view{static_cast<const char*>(data), size};
}

/// The last header of that name, as the W3C trace context asks for; empty where there is none to forward.
std::string_view trace_header(const rd_kafka_headers_t* headers, const char* name) {
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (value == nullptr || size > max_trace_header_bytes) return {};
    return {static_cast<const char*>(value), size};
}

base::SystemTime timestamp_of(const rd_kafka_message_t& message) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t milliseconds = rd_kafka_message_timestamp(&message, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || milliseconds < 0) return base::system_now();
    return base::SystemTime{std::chrono::milliseconds{milliseconds}};
}

} // namespace

core::RecordPtr make_record(const rd_kafka_message_t& message, const core::Assignment& assignment,
                            std::uint64_t sequence) {
    core::RecordFields fields;
    fields.topic = &assignment.topic();
    fields.partition = assignment.partition();
    fields.offset = message.offset;
    fields.assignment = assignment.id();
    fields.sequence = sequence;
    fields.timestamp = timestamp_of(message);
    fields.value = to_view(message.payload, message.len);
    fields.key = to_view(message.key, message.key_len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        fields.traceparent = trace_header(headers, "traceparent");
        fields.tracestate = trace_header(headers, "tracestate");
    }
    return core::Record::create(fields);
}

} // namespace docmap::kafka
