// Bytes as lower-case hexadecimal text, and back. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::base {

/// Two lower-case digits per byte.
std::string to_hex(std::span<const unsigned char> bytes);

/// The bytes behind an even number of digits, upper or lower case. Nothing on any other text.
std::optional<std::vector<unsigned char>> from_hex(std::string_view digits);

/// True where every character is one of `0-9a-f`; true for an empty text.
bool is_lower_hex(std::string_view text);

} // namespace docmap::base
