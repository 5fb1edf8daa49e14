// Collects problems while a configuration is read, and remembers where each key was set, so that a later
// check of several keys can still name a line. Lives within one call of `load`.
#pragma once

#include "config/problem.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace docmap::config {

class Findings {
  public:
    /// Keys that nothing sets are reported as if from `file`.
    explicit Findings(std::string file) : file_(std::move(file)) {}

    /// `key` was set at `origin`; the last one counts.
    void set_origin(std::string_view key, const Origin& origin);
    bool is_set(std::string_view key) const { return origins_.contains(key); }

    /// Reports a problem where the key was set.
    void report(std::string_view key, std::string message);
    void report_at(const Origin& origin, std::string_view key, std::string message);

    /// All problems: those of the file by line, then the others as found.
    std::vector<Problem> take_problems();

  private:
    std::string file_;
    std::map<std::string, Origin, std::less<>> origins_;
    std::vector<Problem> problems_;
};

} // namespace docmap::config
