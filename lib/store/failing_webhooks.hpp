// Deactivates webhooks that have done nothing but fail for too long. Blocking; runs on a connection that
// holds the maintenance's lock.
#pragma once

#include "store/connection.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace docmap::store {

struct FailingWebhook {
    std::string webhook_id;
    std::string user_id;
    std::string failing_since; ///< ISO 8601
};

/// Looks at webhooks whose failures lie so far apart: a success in between forgives what was before it, and
/// without one the webhook is deactivated. Returns those that were deactivated. Throws what libpqxx throws.
std::vector<FailingWebhook> judge_failing_webhooks(Connection& connection,
                                                   std::chrono::milliseconds deactivate_after);

} // namespace docmap::store
