// Overrides from the environment and from systemd credentials.
#pragma once

#include "config/config.hpp"
#include "config/environment.hpp"
#include "config/findings.hpp"

namespace docmap::config {

/// Puts every variable `DOCMAP_WEBHOOKD_<SECTION>_<KEY>` into `config`; what is wrong goes to `findings`.
void read_environment(const Environment& environment, Config& config, Findings& findings);

/// Takes `postgres.url` from the systemd credential `postgres-url` where nothing else has set it.
void read_credentials(const Environment& environment, Config& config, Findings& findings);

} // namespace docmap::config
