// The commands of docmap-webhookd. Each runs on the main thread and returns the process's exit code.
#pragma once

#include "config/config.hpp"
#include "config/environment.hpp"
#include "daemon/command_line.hpp"

namespace docmap::daemon {

/// Loads the configuration, sets up logging and runs the command. Every problem of the configuration is one
/// line on standard error, with exit code 2.
int run_command(const Options& options);

/// Runs the daemon until SIGTERM or SIGINT.
int serve(const config::Config& config, const config::Environment& environment);

/// Applies the migrations that are missing.
int migrate(const config::Config& config);

/// Tries every connection and names each problem in one line.
int check(const config::Config& config, const config::Environment& environment);

int create_key(const config::Config& config, const Options& options);
int list_keys(const config::Config& config, const Options& options);
int revoke_key(const config::Config& config, const Options& options);

/// Puts past events into the delivery queue. Progress and messages go to standard error, one line of counts
/// to standard output. SIGINT and SIGTERM end it orderly.
int replay(const config::Config& config, const Options& options);

int list_rejected(const config::Config& config, const Options& options);

/// Feeds rejected records in again, one line per record.
int replay_rejected(const config::Config& config, const Options& options);

} // namespace docmap::daemon
