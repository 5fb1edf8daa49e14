// Turns a written value into a typed one, within a range. Every error names the value and what is allowed.
// Pure.
#pragma once

#include "base/error.hpp"
#include "config/value.hpp"

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::config {

template<typename T>
struct Range {
    T min;
    T max;
};

using DurationRange = Range<std::chrono::milliseconds>;
using NumberRange = Range<std::size_t>;

/// `100ms to 60s`.
std::string text_of(const DurationRange& range);
/// `1 to 4096`.
std::string text_of(const NumberRange& range);
/// `1KiB to 64MiB`.
std::string size_text_of(const NumberRange& range);

/// What a text must look like.
struct TextRule {
    std::string_view allowed; ///< for the documentation
    /// Why the text is refused, as a whole message; nothing where it is fine.
    std::optional<std::string> (*check)(std::string_view text);
};

base::Result<std::chrono::milliseconds> read_duration(const Value& value, const DurationRange& range);
base::Result<std::size_t> read_number(const Value& value, const NumberRange& range);
/// A number of bytes, or a text with a unit.
base::Result<std::size_t> read_size(const Value& value, const NumberRange& range);
base::Result<bool> read_flag(const Value& value);
base::Result<std::string> read_text(const Value& value, const TextRule& rule);
base::Result<std::string> read_choice(const Value& value, const std::vector<std::string>& choices);

/// At least `count.min` and at most `count.max` texts, none of them twice.
base::Result<std::vector<std::string>> read_texts(const Value& value, const NumberRange& count,
                                                  const TextRule& rule);
base::Result<std::vector<std::chrono::milliseconds>>
read_durations(const Value& value, const NumberRange& count, const DurationRange& range);

/// `"debug", "info" or "error"`.
std::string text_of_choices(const std::vector<std::string>& choices);

} // namespace docmap::config
