// The master key: what signing secrets are encrypted with at rest. Read once at start.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "config/environment.hpp"

#include <array>
#include <filesystem>

namespace docmap::config {

using MasterKey = std::array<unsigned char, 32>;

/// Reads 64 hex characters, with an optional newline behind them.
base::Result<MasterKey> read_master_key_file(const std::filesystem::path& path);

/// The key from `secrets.master_key_file`, or else from the systemd credential `master-key`. Logs a warning
/// where everyone on the machine may read the file. The error says how to make a key where there is none.
base::Result<MasterKey> read_master_key(const Secrets& secrets, const Environment& environment);

} // namespace docmap::config
