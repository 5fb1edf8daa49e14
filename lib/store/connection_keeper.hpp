// Keeps one thread supplied with a connection: opens it, checks the schema, reports its state, and paces the
// attempts while the database is away.
// Used by the thread that owns it; only `break_off` and `break_connection` may be called by others.
#pragma once

#include "base/error.hpp"
#include "store/connection.hpp"
#include "store/database_health.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace docmap::store {

class ConnectionKeeper {
  public:
    /// `parameters`: as made by connection_parameters(); where that failed, every attempt fails with its
    /// error.
    ConnectionKeeper(base::Result<std::string> parameters, DatabaseHealth& health, const std::string& group);

    /// The open connection, or null.
    Connection* current() const { return connection_.get(); }

    /// Opens a connection whose schema fits this program. Blocks; false where that failed, for `reason()`.
    bool open();

    /// Drops the connection, which is of no more use.
    void lose(const std::string& reason);

    /// Why there is no connection.
    const std::string& reason() const { return reason_; }

    /// How long to wait before the next open().
    std::chrono::milliseconds pause() const { return pause_; }

    /// Ends whatever the connection is waiting for. Thread-safe.
    void break_connection();

    /// The same, and lets no new one open. Thread-safe.
    void break_off();

  private:
    void replace(std::unique_ptr<Connection> connection);

    base::Result<std::string> parameters_;
    DatabaseHealth& health_;
    DatabaseHealth::Member member_;
    std::chrono::milliseconds pause_{0};
    std::string reason_ = "not connected yet";
    std::mutex mutex_; ///< guards what other threads need: the pointer's changes, and the flag
    bool broken_off_ = false;
    std::unique_ptr<Connection> connection_;
};

} // namespace docmap::store
