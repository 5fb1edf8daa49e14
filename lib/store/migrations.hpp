// Brings a database's schema to this program's version.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace docmap::store {

/// What a run of migrate() did.
struct MigrationReport {
    int version_before = 0;
    int version_after = 0;
    std::vector<std::string> applied; ///< file names, in order
    std::size_t partitions_made = 0;  ///< of `deliveries`: those of the next days, and of days that have rows
};

/// Applies every migration the database does not have, each once and in a transaction of its own, and makes
/// the first partitions of `deliveries`. Runs at the same time on one database wait for each other. Blocks.
/// Fails, and changes nothing, where the database is newer than this program, has applied a migration in
/// another form, or is not encoded in UTF-8.
base::Result<MigrationReport> migrate(const config::Postgres& settings);

/// Connects once and compares the schema's version, for `docmap-webhookd check`. Blocks.
base::Result<void> check_database(const config::Postgres& settings);

} // namespace docmap::store
