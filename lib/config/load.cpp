#include "config/load.hpp"

#include "config/checks.hpp"
#include "config/environment_reader.hpp"
#include "config/files.hpp"
#include "config/findings.hpp"
#include "config/toml_reader.hpp"

#include <string>
#include <utility>

namespace docmap::config {
namespace {

/// False where nothing could be read from the file.
bool read_config_file(const std::filesystem::path& file, Config& config, Findings& findings) {
    const base::Result<std::string> text = read_file(file);
    if (text) return read_toml(*text, file.string(), config, findings);
    findings.report_at({file.string()}, "",
                       text.error().message + "; name the configuration file with --config FILE");
    return false;
}

} // namespace

LoadResult load(const std::filesystem::path& file, const Environment& environment) {
    Config config;
    Findings findings(file.string());
    const bool file_read = read_config_file(file, config, findings);
    read_environment(environment, config, findings);
    // What an unreadable file was to set is unknown, so checks of the whole could only mislead.
    if (file_read) {
        read_credentials(environment, config, findings);
        check_keys_together(config, findings);
        check_files(config, findings);
    }

    LoadResult result;
    result.problems = findings.take_problems();
    if (result.problems.empty()) result.config = std::move(config);
    return result;
}

} // namespace docmap::config
