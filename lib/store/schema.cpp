#include "store/schema.hpp"

#include "store/embedded_migrations.hpp"

#include <string>

namespace docmap::store {

int required_version() {
    return embedded_migrations().back().version;
}

int schema_version(pqxx::connection& connection) {
    pqxx::nontransaction autocommit(connection);
    const pqxx::result table = autocommit.exec("SELECT to_regclass('schema_migrations') IS NOT NULL");
    if (!table[0][0].as<bool>()) return 0;
    return autocommit.exec("SELECT coalesce(max(version), 0) FROM schema_migrations")[0][0].as<int>();
}

base::Result<void> check_schema(pqxx::connection& connection) {
    const int found = schema_version(connection);
    const int needed = required_version();
    if (found == needed) return {};
    const std::string state = "database schema is at version " + std::to_string(found) +
                              ", this program needs " + std::to_string(needed);
    return base::Error{found < needed
                           ? state + ": run docmap-webhookd migrate"
                           : state + ": install the docmap-webhookd that migrated it, or a newer one"};
}

} // namespace docmap::store
