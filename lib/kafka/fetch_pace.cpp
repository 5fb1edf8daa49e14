#include "kafka/fetch_pace.hpp"

#include "base/invariant.hpp"

#include <thread>

namespace docmap::kafka {

namespace {

constexpr const char* interceptor_name = "docmap-webhookd fetch pace";

/// Of the Kafka protocol.
constexpr std::int16_t fetch_kind = 1;

/// A larger answer has gathered enough, and there is more where it came from.
constexpr std::size_t large_answer_bytes = std::size_t{128} * 1024;

} // namespace

void FetchPace::attach(rd_kafka_conf_t& configuration) {
    const rd_kafka_resp_err_t error =
        rd_kafka_conf_interceptor_add_on_new(&configuration, interceptor_name, on_new, this);
    base::require(error == RD_KAFKA_RESP_ERR_NO_ERROR, "an interceptor is added once");
}

rd_kafka_resp_err_t FetchPace::on_new(rd_kafka_t* client, const rd_kafka_conf_t*, void* opaque, char*,
                                      std::size_t) {
    return rd_kafka_interceptor_add_on_response_received(client, interceptor_name, on_response, opaque);
}

std::chrono::milliseconds FetchPace::before_answer(std::int16_t kind, std::size_t bytes) const {
    if (kind != fetch_kind || bytes >= large_answer_bytes) return std::chrono::milliseconds{0};
    return pause_.load(std::memory_order_relaxed);
}

/// librdkafka asks its interceptors not to block. This wait is far below every timeout of the protocol, and
/// the connections that fetch serve nothing of the group: its requests have a connection and a thread of
/// their own.
rd_kafka_resp_err_t FetchPace::on_response(rd_kafka_t*, int, const char*, std::int32_t, std::int16_t kind,
                                           std::int16_t, std::int32_t, std::size_t bytes, std::int64_t,
                                           rd_kafka_resp_err_t, void* opaque) {
    const std::chrono::milliseconds pause = static_cast<const FetchPace*>(opaque)->before_answer(kind, bytes);
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

} // namespace docmap::kafka
