// `[kafka.properties]`: which librdkafka properties the daemon keeps to itself. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace docmap::config {

/// Why `property` may not be set, and what to use instead; nothing where it is passed on.
std::optional<std::string> check_kafka_property(std::string_view property);

} // namespace docmap::config
