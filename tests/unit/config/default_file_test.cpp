// Keeps the commented default configuration and its documentation in step with the table of keys.

#include "config/load.hpp"
#include "config/schema.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace docmap::config {
namespace {

const std::string source_dir = DOCMAP_SOURCE_DIR;

/// A key as config.toml shows it.
struct Shown {
    std::string comment; ///< the lines above it, joined
    std::string value;
};

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file) << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// True for `name = …`, also behind a comment sign.
bool is_assignment(const std::string& line, std::string& name, std::string& value) {
    const std::string bare = line.starts_with("# ") ? line.substr(2) : line;
    const std::size_t equals = bare.find(" = ");
    if (equals == std::string::npos || bare.substr(0, equals).find_first_of(" \"") != std::string::npos)
        return false;
    name = bare.substr(0, equals);
    value = bare.substr(equals + 3);
    return true;
}

std::map<std::string, Shown> shown_keys() {
    std::map<std::string, Shown> shown;
    std::istringstream text(read_text(source_dir + "/config/config.toml"));
    std::string section;
    std::string comment;
    std::string name;
    std::string value;
    for (std::string line; std::getline(text, line);) {
        EXPECT_LE(line.size(), 110U) << line;
        if (is_assignment(line, name, value)) {
            shown[section + "." + name] = {comment, value};
            comment.clear();
        } else if (line.starts_with("# ")) {
            comment += (comment.empty() ? "" : " ") + line.substr(2);
        } else {
            comment.clear();
            if (line.starts_with('[')) section = line.substr(1, line.size() - 2);
        }
    }
    return shown;
}

TEST(DefaultFile, YieldsTheDefaults) {
    const LoadResult result = load(source_dir + "/config/config.toml", {});
    for (const Problem& problem : result.problems)
        ADD_FAILURE() << problem.text();
    ASSERT_TRUE(result.config);
    EXPECT_EQ(*result.config, Config{});
}

TEST(DefaultFile, ShowsEveryKeyWithItsMeaning) {
    const std::map<std::string, Shown> shown = shown_keys();
    for (const Key& key : all_keys()) {
        ASSERT_TRUE(shown.contains(key.full_name())) << key.full_name();
        EXPECT_EQ(shown.at(key.full_name()).comment, key.meaning + " Allowed: " + key.allowed + ".");
    }
    EXPECT_EQ(shown.size(), all_keys().size());
}

TEST(DefaultFile, IsTabulatedInTheDocumentation) {
    const std::map<std::string, Shown> shown = shown_keys();
    const std::string documentation = read_text(source_dir + "/docs/configuration.md");
    for (const Key& key : all_keys()) {
        const std::size_t section = documentation.find("\n## [" + key.section + "]\n");
        ASSERT_NE(section, std::string::npos) << key.section;
        const std::string row = "\n| `" + key.name + "` | `" + shown.at(key.full_name()).value + "` | " +
                                key.allowed + " | " + key.meaning + " |\n";
        const std::size_t position = documentation.find(row, section);
        EXPECT_LT(position, documentation.find("\n## [", section + 1))
            << "docs/configuration.md lacks:" << row;
    }
}

TEST(DefaultFile, NamesVariablesAfterSectionAndKey) {
    EXPECT_EQ(find_key("delivery", "timeout")->environment_variable(), "DOCMAP_WEBHOOKD_DELIVERY_TIMEOUT");
    EXPECT_EQ(find_key("api", "listen")->environment_variable(), "DOCMAP_WEBHOOKD_API_LISTEN");
    EXPECT_EQ(find_key("api", "listen_port"), nullptr);
}

} // namespace
} // namespace docmap::config
