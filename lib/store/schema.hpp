// The version of the database schema: which one a database has, and which one this program needs.
#pragma once

#include "base/error.hpp"
#include "store/pqxx_compat.hpp"

namespace docmap::store {

/// The version this program is written for: that of its newest migration.
int required_version();

/// The version a database is at; 0 before the first migration. Throws what libpqxx throws.
int schema_version(pqxx::connection& connection);

/// Succeeds where both are the same. The error says which command puts it right.
base::Result<void> check_schema(pqxx::connection& connection);

} // namespace docmap::store
