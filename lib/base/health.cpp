#include "base/health.hpp"

#include <algorithm>

namespace docmap::base {

void HealthBoard::expect(const std::string& part, const std::string& detail) {
    const std::lock_guard lock(mutex_);
    parts_[part] = Part{false, detail};
}

bool HealthBoard::report(const std::string& part, bool ready, const std::string& detail) {
    const std::lock_guard lock(mutex_);
    Part& entry = parts_[part];
    const bool changed = entry.ready != ready;
    entry.ready = ready;
    entry.detail = ready ? std::string{} : detail;
    return changed;
}

std::map<std::string, HealthBoard::Part> HealthBoard::parts() const {
    const std::lock_guard lock(mutex_);
    return parts_;
}

bool HealthBoard::ready() const {
    const std::lock_guard lock(mutex_);
    return std::all_of(parts_.begin(), parts_.end(), [](const auto& entry) { return entry.second.ready; });
}

} // namespace docmap::base
