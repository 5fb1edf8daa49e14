#include "store/migrations.hpp"

#include "base/hex.hpp"
#include "core/sha256.hpp"
#include "store/day_partitions.hpp"
#include "store/embedded_migrations.hpp"
#include "store/one_connection.hpp"
#include "store/schema.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace docmap::store {

namespace {

/// Longest wait for another migration of the same database.
constexpr std::chrono::seconds lock_timeout{60};
/// Any number that nothing else on the database locks: "docmap" in ASCII.
constexpr std::int64_t lock_key = 0x646F636D6170;

std::string checksum_of(const Migration& migration) {
    return base::to_hex(core::sha256(migration.sql));
}

/// What is recorded as applied must be what this program carries.
base::Result<void> check_applied(pqxx::connection& connection, std::span<const Migration> known) {
    pqxx::nontransaction autocommit(connection);
    for (const auto& row :
         autocommit.exec("SELECT version, name, checksum FROM schema_migrations ORDER BY version")) {
        const int version = row[0].as<int>();
        const auto name = row[1].as<std::string>();
        if (version < 1 || version > static_cast<int>(known.size()))
            return base::Error{"database schema is at version " + std::to_string(version) + " (" + name +
                               "), this program knows versions up to " + std::to_string(known.size()) +
                               ": install the docmap-webhookd that migrated it, or a newer one"};
        const Migration& migration = known[static_cast<std::size_t>(version) - 1];
        if (row[2].as<std::string>() != checksum_of(migration))
            return base::Error{"migration " + std::string(migration.name) +
                               " was applied to this database in another form than this program has: "
                               "restore the released file and build again"};
    }
    return {};
}

void apply(pqxx::connection& connection, const Migration& migration) {
    pqxx::work transaction(connection);
    transaction.exec(std::string(migration.sql));
    transaction.exec("INSERT INTO schema_migrations (version, name, checksum) VALUES (" +
                     std::to_string(migration.version) + ", " +
                     transaction.quote(std::string(migration.name)) + ", '" + checksum_of(migration) + "')");
    transaction.commit();
}

void prepare_session(pqxx::connection& connection) {
    pqxx::nontransaction autocommit(connection);
    autocommit.exec("SET statement_timeout = 0");
    autocommit.exec("SET idle_in_transaction_session_timeout = 0");
    autocommit.exec("SET lock_timeout = " + std::to_string(std::chrono::milliseconds(lock_timeout).count()));
    // Held until the connection closes.
    autocommit.exec("SELECT pg_advisory_lock(" + std::to_string(lock_key) + ")");
    autocommit.exec("CREATE TABLE IF NOT EXISTS schema_migrations ("
                    "version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, "
                    "applied_at timestamptz NOT NULL DEFAULT now())");
}

std::string server_encoding(pqxx::connection& connection) {
    pqxx::nontransaction autocommit(connection);
    return autocommit.exec("SHOW server_encoding")[0][0].as<std::string>();
}

base::Result<MigrationReport> migrate_over(Connection& opened, std::size_t retention_days) {
    pqxx::connection& connection = opened.native();
    const std::string encoding = server_encoding(connection);
    if (encoding != "UTF8")
        return base::Error{"the database is encoded in " + encoding +
                           ", which cannot hold every event: create it with ENCODING 'UTF8'"};
    prepare_session(connection);
    const std::span<const Migration> known = embedded_migrations();
    const auto applied = check_applied(connection, known);
    if (!applied.has_value()) return applied.error();

    MigrationReport report;
    report.version_before = schema_version(connection);
    for (const Migration& migration : known.subspan(static_cast<std::size_t>(report.version_before))) {
        apply(connection, migration);
        report.applied.emplace_back(migration.name);
    }
    report.version_after = schema_version(connection);
    report.partitions_made = make_day_partitions(connection, retention_days).made.size();
    return report;
}

} // namespace

base::Result<MigrationReport> migrate(const config::Postgres& settings) {
    return with_connection<MigrationReport>(
        settings, [&](Connection& connection) { return migrate_over(connection, settings.retention_days); });
}

base::Result<void> check_database(const config::Postgres& settings) {
    return with_connection<void>(settings,
                                 [](Connection& connection) { return check_schema(connection.native()); });
}

} // namespace docmap::store
