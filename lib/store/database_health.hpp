// Whether the database can be used, put together from all connections, for `/ready` and the log.
// Thread-safe. Owned by the store; members are added before threads start.
#pragma once

#include "base/health.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace docmap::store {

class DatabaseHealth {
  public:
    using Member = std::size_t;

    /// Reports as part `postgres` of `board`, which must outlive this.
    explicit DatabaseHealth(base::HealthBoard& board);

    /// A connection that belongs to `group`. The database is ready while every group has a connection.
    Member add(const std::string& group);

    /// The member's connection works.
    void up(Member member);

    /// The member has no connection, for `reason`: one line without secrets. Logged when the database as a
    /// whole becomes unavailable, or stays so for another reason; never once per attempt.
    void down(Member member, const std::string& reason);

  private:
    enum class State { unknown, up, down };
    struct Entry {
        std::string group;
        bool up = false;
    };

    bool all_groups_up() const;

    std::mutex mutex_;
    base::HealthBoard& board_;
    std::vector<Entry> entries_;
    State state_ = State::unknown;
    std::string logged_reason_;
    base::SteadyTime logged_at_{};
};

} // namespace docmap::store
