// The daemon's counters, kept in a prometheus-cpp registry.
// Thread-safe. Lives as long as the process. Counters are looked up once, at start, never on the hot path.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <string>

namespace docmap::base {

class Metrics {
  public:
    Metrics();

    /// All counters in Prometheus' text exposition format.
    std::string expose() const;

  private:
    prometheus::Registry registry_;

    prometheus::Counter& counter(const char* name, const char* help);

  public:
    prometheus::Counter& records_received;   ///< Kafka records taken in
    prometheus::Counter& records_rejected;   ///< records stored in rejected_events
    prometheus::Counter& events_settled;     ///< events whose every delivery is recorded
    prometheus::Counter& attempts_succeeded; ///< attempts answered by a 2xx
    prometheus::Counter& attempts_failed;    ///< all other attempts
    prometheus::Counter& deliveries_skipped; ///< replayed deliveries that were recorded before
    prometheus::Counter& deliveries_dropped; ///< deliveries ended because their webhook was deleted
    prometheus::Counter&
        deliveries_parked; ///< deliveries moved to the delivery queue instead of waiting in memory
    prometheus::Counter& deliveries_claimed; ///< deliveries taken from the delivery queue
    prometheus::Counter& retries_scheduled;  ///< failed attempts that have a next try
    prometheus::Counter&
        record_write_retries; ///< database writes of a batch that failed and were tried again
    prometheus::Counter& webhooks_deactivated; ///< webhooks deactivated for 410 or for nothing but failures
    prometheus::Counter& offset_commits;       ///< offset commits accepted by Kafka
};

} // namespace docmap::base
