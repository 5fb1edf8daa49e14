// The question of the `check` command: can the daemon read its topics? Blocks; for use without a consumer.
#pragma once

#include "config/config.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace docmap::kafka {

/// Connects, and looks each topic up; takes at most about `timeout`. One readable line per problem: a
/// property librdkafka refuses, no broker that answers, a topic that does not exist or may not be read.
std::vector<std::string> find_problems(const config::Kafka& config, std::chrono::milliseconds timeout);

} // namespace docmap::kafka
