#include "core/topic_name.hpp"

#include <mutex>
#include <set>

namespace docmap::core {

const std::string& intern_topic(std::string_view name) {
    // A set's elements stay where they are. Never destroyed: records may outlive static destruction.
    static std::mutex mutex;
    static auto& names = *new std::set<std::string, std::less<>>;
    const std::lock_guard lock(mutex);
    const auto found = names.find(name);
    return found != names.end() ? *found : *names.emplace(name).first;
}

} // namespace docmap::core
