// Checks a text against the JSON grammar (RFC 8259) and says where and how it breaks it.
// Slower than simdjson, and stricter about nothing but the grammar: numbers of any size and unpaired
// surrogate escapes, which simdjson refuses, are JSON. So it decides, and explains, where simdjson has
// refused a text. Pure; usable on any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace docmap::core {

struct JsonFault {
    std::size_t offset = 0; ///< of the byte that breaks the grammar; the text's size where it ends too early
    std::string_view problem; ///< what is wrong there
};

/// Takes a member of the top-level object, as it stands in the text: the name with its quotes, and the value.
using JsonMember = std::function<void(std::string_view name, std::string_view value)>;

/// Scans one JSON value, nested at most `max_depth` levels deep, empty arrays and objects not counted. `text`
/// must be UTF-8. Returns the first fault, or nothing where `text` is JSON. `on_member` is called for each
/// member of an object at the top.
std::optional<JsonFault> scan_json(std::string_view text, std::size_t max_depth, const JsonMember& on_member);

} // namespace docmap::core
