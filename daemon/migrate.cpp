#include "daemon/commands.hpp"
#include "store/migrations.hpp"

#include <iostream>

namespace docmap::daemon {

int migrate(const config::Config& config) {
    const auto report = store::migrate(config.postgres);
    if (!report) {
        std::cerr << "docmap-webhookd migrate: " << report.error().message << '\n';
        return exit_failed;
    }
    for (const std::string& name : report->applied)
        std::cout << "applied " << name << '\n';
    std::cout << "the database schema is at version " << report->version_after << '\n';
    return exit_ok;
}

} // namespace docmap::daemon
