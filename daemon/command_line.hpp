// The command line: which command, with which options. Parsing only; prints usage, help and version itself.
#pragma once

#include "base/time.hpp"
#include "core/replay.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace docmap::daemon {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2; ///< wrong usage or configuration

inline constexpr const char* default_config_file = "/etc/docmap-webhookd/config.toml";

enum class Command {
    serve,
    migrate,
    check,
    keys_create,
    keys_list,
    keys_revoke,
    replay,
    rejected_list,
    rejected_replay,
};

struct ReplayOptions {
    core::ReplaySelection selection;
    std::string resume_id; ///< not empty: goes on with that replay, whose selection is stored
    bool dry_run = false;  ///< counts and changes nothing
};

struct RejectedListOptions {
    std::size_t limit = 50;
    std::string topic;                     ///< empty: every topic
    std::optional<base::SystemTime> since; ///< rejected then or later
    bool all = false;                      ///< also those that were fed in again
};

struct RejectedReplayOptions {
    std::vector<std::int64_t> ids;
    bool all = false;                 ///< instead of `ids`: every one that was not fed in again
    bool again = false;               ///< also those that were
    std::filesystem::path value_file; ///< not empty: holds the value to write instead of the stored one
};

struct Options {
    Command command = Command::serve;
    std::filesystem::path config_file;
    std::string user;    ///< keys create, list
    std::string name;    ///< keys create
    std::string expires; ///< keys create: 30d, 60d, 90d, 1y or never
    bool import = false; ///< keys create: reads an existing key from standard input
    std::string key_id;  ///< keys revoke
    ReplayOptions replay;
    RejectedListOptions rejected_list;
    RejectedReplayOptions rejected_replay;
};

struct ParsedCommandLine {
    std::optional<Options> options; ///< nothing: exit with `exit_code`
    int exit_code = exit_ok;
};

ParsedCommandLine parse_command_line(int argc, const char* const* argv);

} // namespace docmap::daemon
