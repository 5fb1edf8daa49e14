#include "daemon/commands.hpp"

#include "base/log.hpp"
#include "config/load.hpp"

#include <iostream>

namespace docmap::daemon {

namespace {

base::log::Level log_level(const std::string& name) {
    if (name == "debug") return base::log::Level::debug;
    if (name == "warning") return base::log::Level::warning;
    if (name == "error") return base::log::Level::error;
    return base::log::Level::info;
}

int report(const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems)
        std::cerr << problem.text() << '\n';
    return exit_usage;
}

} // namespace

int run_command(const Options& options) {
    const config::Environment environment = config::process_environment();
    const config::LoadResult loaded = config::load(options.config_file, environment);
    if (!loaded.config) return report(loaded.problems);
    const config::Config& config = *loaded.config;
    base::log::configure(log_level(config.log.level),
                         config.log.format == "json" ? base::log::Format::json : base::log::Format::text);

    switch (options.command) {
    case Command::serve:
        return serve(config, environment);
    case Command::migrate:
        return migrate(config);
    case Command::check:
        return check(config, environment);
    case Command::keys_create:
        return create_key(config, options);
    case Command::keys_list:
        return list_keys(config, options);
    case Command::keys_revoke:
        return revoke_key(config, options);
    case Command::replay:
        return replay(config, options);
    case Command::rejected_list:
        return list_rejected(config, options);
    case Command::rejected_replay:
        return replay_rejected(config, options);
    }
    return exit_usage;
}

} // namespace docmap::daemon
