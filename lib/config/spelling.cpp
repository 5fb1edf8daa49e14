#include "config/spelling.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace docmap::config {
namespace {

/// Optimal string alignment distance.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> two_above(right.size() + 1);
    std::vector<std::size_t> above(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(above.begin(), above.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t change = above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            row[j] = std::min({change, above[j] + 1, row[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
        }
        two_above.swap(above);
        above.swap(row);
    }
    return above.back();
}

} // namespace

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
    constexpr std::size_t max_name_characters = 100; // the distance costs the product of both lengths
    if (name.size() > max_name_characters) return std::nullopt;
    std::optional<std::string> nearest;
    std::size_t limit = std::clamp<std::size_t>(name.size() / 3, 1, 3);
    for (const std::string& candidate : candidates) {
        const std::size_t steps = distance(name, candidate);
        if (steps > limit || (nearest && steps == limit)) continue;
        nearest = candidate;
        limit = steps;
    }
    return nearest;
}

} // namespace docmap::config
