// The partitions of `deliveries`, one per day in UTC: made before their day begins, dropped by age. Blocking;
// runs on a connection that holds the lock of the maintenance or of a migration. Time is the database's.
#pragma once

#include "store/pqxx_compat.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace docmap::store {

struct PartitionChanges {
    std::vector<std::string> made;
    std::vector<std::string> dropped;
    std::int64_t rows_moved = 0;   ///< from the default partition into that of their day
    std::int64_t rows_deleted = 0; ///< from the default partition, by age
};

/// Makes the partitions of today and the next three days, and of each older day whose rows lie in the default
/// partition. Each is one transaction; rows of such a day cannot be written meanwhile. Throws what libpqxx
/// throws.
PartitionChanges make_day_partitions(pqxx::connection& connection, std::size_t retention_days);

/// Drops what is older than so many whole days. Throws what libpqxx throws.
PartitionChanges drop_old_days(pqxx::connection& connection, std::size_t retention_days);

} // namespace docmap::store
