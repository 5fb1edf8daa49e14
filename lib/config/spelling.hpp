// "Did you mean …?": finds the name that a misspelt one was most likely meant to be. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::config {

/// The candidate with the fewest letters to change, add, drop or swap; nothing where even that is far off.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

} // namespace docmap::config
