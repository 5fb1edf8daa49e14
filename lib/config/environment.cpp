#include "config/environment.hpp"

#include <system_error>
#include <unistd.h>

namespace docmap::config {

Environment process_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos)
            environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

std::optional<std::filesystem::path> credential_path(const Environment& environment, std::string_view name) {
    const auto directory = environment.find("CREDENTIALS_DIRECTORY");
    if (directory == environment.end() || directory->second.empty()) return std::nullopt;
    std::filesystem::path path = std::filesystem::path(directory->second) / name;
    std::error_code ignored; // a directory that cannot be read holds no credential for us
    if (!std::filesystem::exists(path, ignored)) return std::nullopt;
    return path;
}

} // namespace docmap::config
