#include "base/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace docmap::base {

prometheus::Counter& Metrics::counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add({});
}

Metrics::Metrics()
    : records_received(counter("docmap_records_received_total", "Kafka records taken in")),
      records_rejected(counter("docmap_records_rejected_total", "Kafka records stored in rejected_events")),
      events_settled(counter("docmap_events_settled_total", "Events whose every delivery is recorded")),
      attempts_succeeded(counter("docmap_attempts_succeeded_total", "Delivery attempts answered by a 2xx")),
      attempts_failed(counter("docmap_attempts_failed_total", "Delivery attempts that failed")),
      deliveries_skipped(
          counter("docmap_deliveries_skipped_total", "Replayed deliveries that were recorded before")),
      deliveries_dropped(
          counter("docmap_deliveries_dropped_total", "Deliveries ended because their webhook was deleted")),
      deliveries_parked(counter("docmap_deliveries_parked_total",
                                "Deliveries moved to the delivery queue instead of waiting in memory")),
      deliveries_claimed(
          counter("docmap_deliveries_claimed_total", "Deliveries taken from the delivery queue")),
      retries_scheduled(counter("docmap_retries_scheduled_total", "Failed attempts that have a next try")),
      record_write_retries(
          counter("docmap_record_write_retries_total", "Database writes of a batch that were tried again")),
      webhooks_deactivated(counter("docmap_webhooks_deactivated_total",
                                   "Webhooks deactivated: answered 410 Gone, or did nothing but fail")),
      offset_commits(counter("docmap_offset_commits_total", "Offset commits accepted by Kafka")) {}

std::string Metrics::expose() const {
    return prometheus::TextSerializer().Serialize(registry_.Collect());
}

} // namespace docmap::base
