// Slows the fetching of records down where they come fast but a few at a time. librdkafka asks the broker
// again as soon as it has an answer; at some thousand events a second that is a request, an answer and a
// wake-up for one or two of them, which costs more than their delivery does. A short pause before each small
// answer is taken in lets the next one hold what came meanwhile. Used from librdkafka's threads and from the
// Kafka thread; must outlive the client.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace docmap::kafka {

class FetchPace {
  public:
    /// Has this object asked at each answer of a broker. Before the client is made.
    void attach(rd_kafka_conf_t& configuration);

    /// The pause from now on; 0: none. From any thread.
    void set(std::chrono::milliseconds pause) { pause_.store(pause, std::memory_order_relaxed); }

    /// How long to wait before an answer of `bytes` to a request of this kind (`ApiKey` of the Kafka
    /// protocol).
    std::chrono::milliseconds before_answer(std::int16_t kind, std::size_t bytes) const;

  private:
    static rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t* configuration, void* opaque,
                                      char* why, std::size_t why_size);
    static rd_kafka_resp_err_t on_response(rd_kafka_t* client, int socket, const char* broker,
                                           std::int32_t broker_id, std::int16_t kind, std::int16_t version,
                                           std::int32_t correlation_id, std::size_t bytes,
                                           std::int64_t round_trip_us, rd_kafka_resp_err_t error,
                                           void* opaque);

    std::atomic<std::chrono::milliseconds> pause_{std::chrono::milliseconds{0}};
};

} // namespace docmap::kafka
