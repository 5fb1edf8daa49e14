#include "config/findings.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace docmap::config {

void Findings::set_origin(std::string_view key, const Origin& origin) {
    origins_.insert_or_assign(std::string(key), origin);
}

void Findings::report(std::string_view key, std::string message) {
    const auto origin = origins_.find(key);
    report_at(origin == origins_.end() ? Origin{file_} : origin->second, key, std::move(message));
}

void Findings::report_at(const Origin& origin, std::string_view key, std::string message) {
    problems_.push_back({origin, std::string(key), std::move(message)});
}

std::vector<Problem> Findings::take_problems() {
    const auto rank = [&](const Problem& problem) {
        return problem.origin.source == file_ ? problem.origin.line : std::numeric_limits<std::size_t>::max();
    };
    std::ranges::stable_sort(problems_, {}, rank);
    return std::exchange(problems_, {});
}

} // namespace docmap::config
