// Writes single records to Kafka and waits until the brokers have them. For commands, not for the daemon.
// Blocking; belongs to the thread that made it.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "kafka/handles.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::kafka {

struct RecordToWrite {
    std::string topic;
    std::int32_t partition = 0;
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
};

class RecordProducer {
  public:
    /// `timeout`: how long a record may take until all in-sync replicas have it. Fails where librdkafka
    /// refuses the configuration.
    static base::Result<std::unique_ptr<RecordProducer>> open(const config::Kafka& config,
                                                              std::chrono::milliseconds timeout);

    RecordProducer(const RecordProducer&) = delete;
    RecordProducer& operator=(const RecordProducer&) = delete;

    /// Writes a record, its timestamp now, and waits for the brokers' answer: the record's offset. After an
    /// error it may have been written all the same, where the answer was lost.
    base::Result<std::int64_t> write(const RecordToWrite& record);

  private:
    explicit RecordProducer(const config::Kafka& config) : config_(config) {}

    static void on_error(rd_kafka_t* client, int error, const char* reason, void* opaque);
    static void on_delivery(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);

    const config::Kafka& config_;
    std::chrono::milliseconds timeout_{};
    std::string last_failure_;
    std::optional<base::Result<std::int64_t>> report_; ///< of the record under way
    ClientPtr client_;
};

} // namespace docmap::kafka
