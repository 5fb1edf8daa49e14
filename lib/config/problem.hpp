// What is wrong with a configuration, and where.
#pragma once

#include <cstddef>
#include <string>

namespace docmap::config {

/// Where a value was written.
struct Origin {
    std::string source;   ///< a file's path, or the name of an environment variable
    std::size_t line = 0; ///< in a file; 0: no line to name
};

struct Problem {
    Origin origin;
    std::string key;     ///< such as `delivery.timeout`; empty where the file as a whole is meant
    std::string message; ///< names the value, the rule and the way out; never a secret

    /// One line: `FILE:LINE: KEY: MESSAGE`.
    std::string text() const {
        std::string line = origin.source;
        if (origin.line != 0) line += ":" + std::to_string(origin.line);
        if (!key.empty()) line += ": " + key;
        return line + ": " + message;
    }
};

} // namespace docmap::config
