#include "base/log.hpp"
#include "base/version.hpp"
#include "config/master_key.hpp"
#include "daemon/commands.hpp"
#include "daemon/process.hpp"
#include "daemon/service.hpp"

#include <iostream>

namespace docmap::daemon {

namespace {

/// Sockets that are open besides those of attempts: Kafka, PostgreSQL, listeners, event descriptors.
constexpr std::size_t other_descriptors = 256;

int refuse(const base::Error& error, int exit_code) {
    std::cerr << "docmap-webhookd: " << error.message << '\n';
    return exit_code;
}

} // namespace

int serve(const config::Config& config, const config::Environment& environment) {
    const auto master_key = config::read_master_key(config.secrets, environment);
    if (!master_key) return refuse(master_key.error(), exit_usage);
    raise_open_file_limit(config.delivery.max_in_flight + config.delivery.max_idle_connections +
                          config.api.max_connections + other_descriptors);
    prefer_throughput();
    base::log::info("starting", {{"version", base::version}, {"group_id", config.kafka.group_id}});

    Service service(config, *master_key);
    const auto started = service.start();
    if (!started) return refuse(started.error(), exit_failed);
    notify_ready();
    return service.run();
}

} // namespace docmap::daemon
