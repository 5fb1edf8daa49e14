// A value as somebody wrote it, whether in the file or in the environment. Plain data; knows nothing of TOML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace docmap::config {

/// What no key takes: a date, a table, a list of mixed things.
struct OtherType {
    std::string name; ///< with its article: `a date`
};

using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>, OtherType>;

/// The shape that a key asks for. Says how the text of an environment variable is to be read.
enum class Kind { text, number, flag, list };

/// Reads an environment variable: `true` for a flag, digits for a number, a comma-separated list. A text that
/// does not fit stays a text, for the key to refuse.
Value value_from_environment(std::string_view text, Kind kind);

/// In quotes, on one line, cut off where very long.
std::string quote(std::string_view text);

/// The value as an error message names it: quoted text, a number, `a list`.
std::string describe(const Value& value);

/// `text` without spaces and tabs around it.
std::string_view trim(std::string_view text);

/// The parts between commas, trimmed; none for an empty text.
std::vector<std::string> split_list(std::string_view text);

} // namespace docmap::config
