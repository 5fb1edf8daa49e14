// API keys as users hold them: `dm_live_` and 64 lower-case hex characters. Only their SHA-256 is stored.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace docmap::core {

inline constexpr std::string_view api_key_prefix = "dm_live_";

/// The key made of 32 random bytes.
std::string make_api_key(const std::array<unsigned char, 32>& random);

/// True where `text` has the form of an API key. Says nothing about whether it exists.
bool is_api_key(std::string_view text);

} // namespace docmap::core
