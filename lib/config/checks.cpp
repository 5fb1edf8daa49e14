#include "config/checks.hpp"

#include "config/files.hpp"
#include "config/master_key.hpp"
#include "config/units.hpp"

#include <optional>
#include <string>
#include <utility>

namespace docmap::config {
namespace {

void report_if(std::optional<std::string> message, const char* key, Findings& findings) {
    if (message) findings.report(key, *std::move(message));
}

} // namespace

void check_keys_together(const Config& config, Findings& findings) {
    const Delivery& delivery = config.delivery;
    if (delivery.max_in_flight_per_endpoint > delivery.max_in_flight)
        findings.report("delivery.max_in_flight_per_endpoint",
                        std::to_string(delivery.max_in_flight_per_endpoint) +
                            " is above delivery.max_in_flight, " + std::to_string(delivery.max_in_flight) +
                            "; lower it, or raise the other");
    if (delivery.breaker_max_pause < delivery.breaker_pause)
        findings.report("delivery.breaker_max_pause",
                        format_duration(delivery.breaker_max_pause) + " is below delivery.breaker_pause, " +
                            format_duration(delivery.breaker_pause) + "; raise it, or lower the other");
    // Whether a webhook has succeeded in that time is read from its delivery records.
    if (delivery.deactivate_after >= std::chrono::days{config.postgres.retention_days})
        findings.report("delivery.deactivate_after", format_duration(delivery.deactivate_after) +
                                                         " is not below postgres.retention_days, " +
                                                         std::to_string(config.postgres.retention_days) +
                                                         "; lower it, or raise the other");
    if (lease_of(config) < delivery.timeout * 2)
        findings.report("queue.lease", format_duration(config.queue.lease) +
                                           " is below twice delivery.timeout, " +
                                           format_duration(delivery.timeout) + "; raise it");
    if (config.kafka.max_event_bytes > config.intake.max_bytes)
        findings.report("intake.max_bytes", format_size(config.intake.max_bytes) +
                                                " cannot hold one event of kafka.max_event_bytes, " +
                                                format_size(config.kafka.max_event_bytes) + "; raise it");

    const Api& api = config.api;
    if (!api.tls_certificate.empty() && api.tls_key.empty())
        findings.report("api.tls_certificate",
                        "needs api.tls_key as well; set both to serve HTTPS, or neither");
    if (api.tls_certificate.empty() && !api.tls_key.empty())
        findings.report("api.tls_key",
                        "needs api.tls_certificate as well; set both to serve HTTPS, or neither");
}

void check_files(const Config& config, Findings& findings) {
    const std::string& ca_file = config.delivery.ca_file;
    if (!ca_file.empty()) report_if(check_certificates(ca_file), "delivery.ca_file", findings);

    const Api& api = config.api;
    if (!api.tls_certificate.empty())
        report_if(check_certificates(api.tls_certificate), "api.tls_certificate", findings);
    if (!api.tls_key.empty())
        report_if(check_private_key(api.tls_key, api.tls_certificate), "api.tls_key", findings);

    const std::string& master_key_file = config.secrets.master_key_file;
    if (master_key_file.empty()) return;
    const base::Result<MasterKey> key = read_master_key_file(master_key_file);
    if (!key) findings.report("secrets.master_key_file", key.error().message);
}

} // namespace docmap::config
