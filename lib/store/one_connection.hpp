// A connection for one task of the command line: opened, used, closed. Blocking; any thread.
#pragma once

#include "store/connection.hpp"
#include "store/schema.hpp"

#include <exception>
#include <memory>

namespace docmap::store {

/// Runs `work() -> base::Result<T>` (or T). What libpqxx throws becomes the error.
template<typename T, typename Work>
base::Result<T> guarded(Work work) {
    try {
        return work();
    } catch (const std::exception& failure) {
        return base::Error{"PostgreSQL: " + describe(failure)};
    }
}

/// Runs `use(Connection&) -> base::Result<T>` (or T). What libpqxx throws becomes the error.
template<typename T, typename Use>
base::Result<T> with_connection(const config::Postgres& settings, Use use) {
    const auto parameters = connection_parameters(settings, Planning::each_time);
    if (!parameters.has_value()) return parameters.error();
    return guarded<T>([&]() -> base::Result<T> {
        Connection connection(*parameters);
        return use(connection);
    });
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

/// A connection to keep, on a database whose schema fits this program.
inline base::Result<std::unique_ptr<Connection>> open_with_current_schema(const config::Postgres& settings) {
    using Opened = std::unique_ptr<Connection>;
    const auto parameters = connection_parameters(settings, Planning::each_time);
    if (!parameters.has_value()) return parameters.error();
    return guarded<Opened>([&]() -> base::Result<Opened> {
        auto connection = std::make_unique<Connection>(*parameters);
        const auto schema = check_schema(connection->native());
        if (!schema.has_value()) return schema.error();
        return connection;
    });
}

} // namespace docmap::store
