// Reads the configuration's TOML text. The only file that knows the TOML library.
#pragma once

#include "config/config.hpp"
#include "config/findings.hpp"

#include <string>
#include <string_view>

namespace docmap::config {

/// Puts everything that `text` sets into `config`, and what is wrong with it into `findings`. Returns false
/// where the text is no TOML at all; then nothing was set.
bool read_toml(std::string_view text, const std::string& file, Config& config, Findings& findings);

} // namespace docmap::config
