// The command line: which command, with which options. Parsing only; prints usage, help and version itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace docmap::daemon {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2; ///< wrong usage or configuration

enum class Command { serve, migrate, check, keys_create, keys_list, keys_revoke };

struct Options {
    Command command = Command::serve;
    std::filesystem::path config_file;
    std::string user;    ///< keys create, list
    std::string name;    ///< keys create
    std::string expires; ///< keys create: 30d, 60d, 90d, 1y or never
    bool import = false; ///< keys create: reads an existing key from standard input
    std::string key_id;  ///< keys revoke
};

struct ParsedCommandLine {
    std::optional<Options> options; ///< nothing: exit with `exit_code`
    int exit_code = exit_ok;
};

ParsedCommandLine parse_command_line(int argc, const char* const* argv);

} // namespace docmap::daemon
