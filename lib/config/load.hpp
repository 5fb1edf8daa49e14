// Reads the configuration: file, environment and credentials become one validated `Config`, or a list of
// everything that is wrong. Called once at start, before other threads exist; holds nothing afterwards.
#pragma once

#include "config/config.hpp"
#include "config/environment.hpp"
#include "config/problem.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace docmap::config {

struct LoadResult {
    std::optional<Config> config;  ///< set exactly where there is no problem
    std::vector<Problem> problems; ///< all at once; show `Problem::text()` of each
};

/// A variable of the environment wins over the file, the file over a systemd credential, that over the
/// default. Files that the configuration names are opened and looked at.
LoadResult load(const std::filesystem::path& file, const Environment& environment);

} // namespace docmap::config
