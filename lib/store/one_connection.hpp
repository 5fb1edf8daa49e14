// A connection for one task of the command line: opened, used, closed. Blocking; any thread.
#pragma once

#include "store/connection.hpp"
#include "store/schema.hpp"

namespace docmap::store {

/// Runs `use(Connection&) -> base::Result<T>` (or T). What libpqxx throws becomes the error.
template<typename T, typename Use>
base::Result<T> with_connection(const config::Postgres& settings, Use use) {
    const auto parameters = connection_parameters(settings, Planning::each_time);
    if (!parameters.has_value()) return parameters.error();
    try {
        Connection connection(*parameters);
        return use(connection);
    } catch (const std::exception& failure) {
        return base::Error{"PostgreSQL: " + describe(failure)};
    }
}

/// The same, on a database whose schema fits this program.
template<typename T, typename Use>
base::Result<T> with_current_schema(const config::Postgres& settings, Use use) {
    return with_connection<T>(settings, [&](Connection& connection) -> base::Result<T> {
        const auto schema = check_schema(connection.native());
        if (!schema.has_value()) return schema.error();
        return use(connection);
    });
}

} // namespace docmap::store
