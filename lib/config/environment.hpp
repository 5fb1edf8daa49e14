// The process's environment as a value, so that reading the configuration is a function of its arguments.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace docmap::config {

using Environment = std::map<std::string, std::string, std::less<>>;

/// A copy of this process's environment. Call before other threads start.
Environment process_environment();

/// Where systemd put the credential `name` (LoadCredential=); nothing where it passed none of that name.
std::optional<std::filesystem::path> credential_path(const Environment& environment, std::string_view name);

} // namespace docmap::config
