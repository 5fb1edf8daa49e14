// The description in schemas/openapi.yaml lists exactly the calls that the routing table has.
#include "unit/api/application_fixture.hpp"

#include <boost/algorithm/string/case_conv.hpp>

#include <fstream>
#include <set>
#include <string>

namespace docmap::api {
namespace {

/// `GET /health` and so on. The file keeps paths at two spaces and methods at four below `paths:`.
std::set<std::string> described_calls() {
    std::ifstream file(DOCMAP_SOURCE_DIR "/schemas/openapi.yaml");
    std::set<std::string> calls;
    std::string path;
    bool in_paths = false;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(' ')) in_paths = line == "paths:";
        if (!in_paths || !line.ends_with(':')) continue;
        line.pop_back();
        if (line.starts_with("  /")) path = line.substr(2);
        const bool is_method = line.starts_with("    ") && line.size() > 4 && line[4] != ' ';
        if (is_method) calls.insert(boost::to_upper_copy(line.substr(4)) + ' ' + path);
    }
    return calls;
}

TEST_F(ApplicationTest, IsDescribedInFull) {
    std::set<std::string> calls;
    for (const Route& route : application.router().routes())
        calls.insert(std::string(http::to_string(route.method)) + ' ' + std::string(route.path));
    EXPECT_EQ(described_calls(), calls);
}

} // namespace
} // namespace docmap::api
