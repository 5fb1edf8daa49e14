// The configuration of librdkafka: what the daemon sets, and what the user passes through in
// [kafka.properties]. Pure but for librdkafka's own tables.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "kafka/handles.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace docmap::kafka {

/// How much librdkafka may fetch ahead, per partition: it counts each partition's queue on its own.
struct QueueLimits {
    std::size_t kilobytes;           ///< queued.max.messages.kbytes
    std::size_t messages;            ///< queued.min.messages
    std::size_t fetch_message_bytes; ///< fetch.message.max.bytes, which a queue may exceed its limit by
};

/// Divides about 64 MiB and 100,000 messages among all partitions of the topics. Once a queue is over its
/// limit, librdkafka pauses the fetching of that partition for a second (before 2.2 that is fixed), so
/// together the queues have to hold a second of full throughput. All partitions are counted, although other
/// members may own some: a smaller group may come at any time, and the limits cannot be changed later.
QueueLimits queue_limits(std::size_t partitions);

/// Every property of [kafka.properties] that librdkafka does not know, whose value it refuses, or that the
/// daemon has to set by itself; one readable line each. Needs no broker.
std::vector<base::Error> validate_properties(const config::Kafka& config);

/// A configuration with the daemon's own settings and the user's properties, without callbacks. An error
/// names the property.
base::Result<ConfigurationPtr> make_configuration(const config::Kafka& config, const QueueLimits& limits);

/// A warning for the log about an assignment strategy that loses assignments in the librdkafka at hand
/// (`library_version` as of rd_kafka_version()); empty where there is none.
std::string assignor_warning(const config::Kafka& config, int library_version);

} // namespace docmap::kafka
