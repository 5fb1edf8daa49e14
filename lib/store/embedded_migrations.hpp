// The SQL files of schemas/migrations, part of the binary. Immutable; any thread.
#pragma once

#include <span>
#include <string_view>

namespace docmap::store {

struct Migration {
    int version;           ///< 1, 2, 3, … without gaps
    std::string_view name; ///< file name
    std::string_view sql;
};

/// All migrations, oldest first. Their text is generated at build time.
std::span<const Migration> embedded_migrations();

} // namespace docmap::store
