#include "kafka/client_log.hpp"

#include "base/log.hpp"

namespace docmap::kafka {

namespace {

/// librdkafka calls a refused connection an error. Whether it is one, the consumer's health says; so only
/// what is worse than that stays an error here.
base::log::Level to_level(int syslog_level) {
    if (syslog_level <= 2) return base::log::Level::error;
    if (syslog_level <= 4) return base::log::Level::warning;
    if (syslog_level <= 6) return base::log::Level::info;
    return base::log::Level::debug;
}

} // namespace

void write_client_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
    base::log::write(to_level(level), text, {{"part", "kafka"}, {"facility", facility}});
}

} // namespace docmap::kafka
