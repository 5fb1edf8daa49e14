// librdkafka's own log lines, written to the daemon's log. Any of librdkafka's threads calls this.
#pragma once

#include <librdkafka/rdkafka.h>

namespace docmap::kafka {

/// For rd_kafka_conf_set_log_cb(). `level` is a syslog level.
void write_client_log(const rd_kafka_t* client, int level, const char* facility, const char* text);

} // namespace docmap::kafka
