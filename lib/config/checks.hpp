// Checks that need more than one key or a look at the file system. Run once all keys are known.
#pragma once

#include "config/config.hpp"
#include "config/findings.hpp"

namespace docmap::config {

/// Keys that have to agree with one another.
void check_keys_together(const Config& config, Findings& findings);

/// Files that the configuration names: readable, and holding what they should. Blocking.
void check_files(const Config& config, Findings& findings);

} // namespace docmap::config
