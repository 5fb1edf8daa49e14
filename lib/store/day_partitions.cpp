#include "store/day_partitions.hpp"

#include <optional>

namespace docmap::store {

namespace {

/// Days ahead of today that have a partition: a few, so that a weekend without maintenance does no harm.
constexpr int days_ahead = 3;

/// Partitions as this program names them; others are left alone.
const std::string select_existing =
    "SELECT c.relname::text AS name, to_date(right(c.relname::text, 8), 'YYYYMMDD') AS day "
    "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'deliveries'::regclass AND c.relname ~ '^deliveries_[0-9]{8}$'";

const std::string today = "(now() AT TIME ZONE 'UTC')::date";

struct Day {
    std::string partition; ///< `deliveries_20250120`
    std::string begin;     ///< `2025-01-20`
    std::string end;
};

/// A day's rows lie between two points in time, whatever the session's time zone.
std::string midnight(const std::string& day) {
    return "'" + day + " 00:00:00+00'";
}

std::vector<Day> missing_days(pqxx::connection& connection, std::size_t retention_days) {
    pqxx::nontransaction autocommit(connection);
    const std::string oldest = today + " - " + std::to_string(retention_days);
    const std::string newest = today + " + " + std::to_string(days_ahead);
    const pqxx::result rows = autocommit.exec(
        "WITH existing AS (" + select_existing + "), wanted AS (SELECT " + today +
        " + n AS day FROM generate_series(0, " + std::to_string(days_ahead) +
        ") AS n UNION SELECT DISTINCT (created_at AT TIME ZONE 'UTC')::date FROM deliveries_default) "
        "SELECT 'deliveries_' || to_char(day, 'YYYYMMDD'), to_char(day, 'YYYY-MM-DD'), "
        "to_char(day + 1, 'YYYY-MM-DD') FROM wanted "
        "WHERE day BETWEEN " +
        oldest + " AND " + newest + " AND day NOT IN (SELECT day FROM existing) ORDER BY day");
    std::vector<Day> days;
    for (const auto& row : rows)
        days.push_back({row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::string>()});
    return days;
}

/// The rows of the day that lie in the default partition move into the new one. Their number; nothing where
/// another made the partition meanwhile.
std::optional<std::int64_t> make_partition(pqxx::connection& connection, const Day& day) {
    pqxx::work transaction(connection);
    // Writers wait from here on, readers do not yet: a row that was on its way into the default partition
    // would be refused once its day has one of its own.
    transaction.exec("LOCK TABLE deliveries IN SHARE ROW EXCLUSIVE MODE");
    if (!transaction.exec("SELECT to_regclass('" + day.partition + "')")[0][0].is_null())
        return std::nullopt; // a migration and a daemon were at it together
    transaction.exec("CREATE TABLE " + day.partition +
                     " (LIKE deliveries INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)");
    const pqxx::result moved = transaction.exec(
        "WITH moved AS (DELETE FROM deliveries_default WHERE created_at >= " + midnight(day.begin) +
        " AND created_at < " + midnight(day.end) + " RETURNING *) INSERT INTO " + day.partition +
        " SELECT * FROM moved");
    // A reader that knows the partitions of before but sees the rows as they are afterwards would find these
    // in neither. So those that have begun end first, and others wait.
    if (moved.affected_rows() > 0) transaction.exec("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE");
    // Builds the indexes that the partition lacks.
    transaction.exec("ALTER TABLE deliveries ATTACH PARTITION " + day.partition + " FOR VALUES FROM (" +
                     midnight(day.begin) + ") TO (" + midnight(day.end) + ")");
    transaction.commit();
    return static_cast<std::int64_t>(moved.affected_rows());
}

} // namespace

PartitionChanges make_day_partitions(pqxx::connection& connection, std::size_t retention_days) {
    PartitionChanges changes;
    for (const Day& day : missing_days(connection, retention_days)) {
        const auto moved = make_partition(connection, day);
        if (!moved) continue;
        changes.rows_moved += *moved;
        changes.made.push_back(day.partition);
    }
    return changes;
}

PartitionChanges drop_old_days(pqxx::connection& connection, std::size_t retention_days) {
    pqxx::nontransaction autocommit(connection);
    const std::string oldest = today + " - " + std::to_string(retention_days);
    PartitionChanges changes;
    for (const auto& row : autocommit.exec("SELECT name FROM (" + select_existing +
                                           ") AS existing WHERE day < " + oldest + " ORDER BY day")) {
        changes.dropped.push_back(row[0].as<std::string>());
        autocommit.exec("DROP TABLE " + changes.dropped.back());
    }
    const pqxx::result deleted = autocommit.exec("DELETE FROM deliveries_default WHERE created_at < ((" +
                                                 oldest + ")::timestamp AT TIME ZONE 'UTC')");
    changes.rows_deleted = static_cast<std::int64_t>(deleted.affected_rows());
    return changes;
}

} // namespace docmap::store
