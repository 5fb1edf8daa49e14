// One connection to PostgreSQL, with its prepared statements and reusable buffers.
// Owned and used by one thread at a time; ends with its destructor. Only `break_off` may be called by another
// thread.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "store/pqxx_compat.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace docmap::store {

/// How the server plans prepared statements.
enum class Planning {
    once,      ///< one plan for all arguments, of index look-ups only: for statements that write batches
    each_time, ///< for queries with optional filters
};

/// The configured URL as libpq's `key='value'` parameters, with time limits, keepalives and session settings
/// added. What the URL sets itself wins. Fails on a malformed URL, without repeating it: it may hold a
/// password.
base::Result<std::string> connection_parameters(const config::Postgres& settings, Planning planning);

/// A statement to prepare. Lives as long as the program; known by its address.
struct Statement {
    const char* name;
    const char* sql;
};

class Connection {
  public:
    /// Connects; blocks for at most the connect timeout per server address. Throws what libpqxx throws.
    explicit Connection(const std::string& parameters);

    pqxx::connection& native() { return native_; }

    /// False once the connection was lost or closed by the server. No round trip.
    bool alive();

    /// Makes whatever waits for the server's answer fail now. Any thread, while the connection exists.
    void break_off() noexcept;

    /// Runs one statement that is its own transaction: one round trip.
    template<typename... Arguments>
    pqxx::result run(const Statement& statement, const Arguments&... arguments) {
        pqxx::nontransaction autocommit(native_);
        return run_in(autocommit, statement, arguments...);
    }

    /// Runs a statement inside a transaction.
    template<typename... Arguments>
    pqxx::result run_in(pqxx::transaction_base& transaction, const Statement& statement,
                        const Arguments&... arguments) {
        prepare(statement);
        return compat::execute_prepared(transaction, statement.name, arguments...);
    }

    /// `count` strings that keep their capacity from one use to the next; emptied.
    std::vector<std::string>& buffers(std::size_t count);

  private:
    void prepare(const Statement& statement);

    pqxx::connection native_;
    std::vector<const Statement*> prepared_;
    std::vector<std::string> buffers_;
};

/// One readable line for what libpqxx threw: the server's message and SQLSTATE, without the query.
std::string describe(const std::exception& failure);

/// Why the connection is of no more use, where that is what made a statement fail; nothing where it still
/// works.
std::optional<std::string> reason_of_loss(const std::exception& failure, Connection& connection);

} // namespace docmap::store
