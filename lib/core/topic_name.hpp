// Names of topics, each kept once: records refer to them instead of holding copies.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace docmap::core {

/// The one copy of `name`; lives as long as the process.
const std::string& intern_topic(std::string_view name);

} // namespace docmap::core
