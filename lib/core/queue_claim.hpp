// What this process has claimed from the delivery queue. Immutable, shared with the shards.
#pragma once

#include "core/lease.hpp"

#include <cstdint>
#include <memory>

namespace docmap::core {

/// A row of the delivery queue that this process has claimed.
struct QueueClaim {
    std::int64_t row_id = 0;
    std::shared_ptr<const Lease> lease; ///< no attempt may begin that might outlast it
};

} // namespace docmap::core
