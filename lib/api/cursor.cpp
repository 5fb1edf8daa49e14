#include "api/cursor.hpp"

#include "base/hex.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <vector>

namespace docmap::api {

namespace {

constexpr std::size_t max_characters = 256;
constexpr std::int64_t end_of_year_9999_ms =
    253'402'300'800'000; ///< the last that PostgreSQL and ISO 8601 share

bool is_id_character(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_';
}

} // namespace

std::string encode_cursor(const Cursor& cursor) {
    const std::string plain = std::to_string(cursor.created_at.time_since_epoch().count()) + ':' + cursor.id;
    return base::to_hex(std::span(reinterpret_cast<const unsigned char*>(plain.data()), plain.size()));
}

std::optional<Cursor> decode_cursor(std::string_view text) {
    if (text.size() > max_characters || !base::is_lower_hex(text)) return std::nullopt;
    const std::optional<std::vector<unsigned char>> bytes = base::from_hex(text);
    if (!bytes) return std::nullopt;
    const std::string plain(bytes->begin(), bytes->end());
    const std::size_t colon = plain.find(':');
    if (colon == std::string::npos) return std::nullopt;

    std::int64_t milliseconds = 0;
    const auto [stop, error] = std::from_chars(plain.data(), plain.data() + colon, milliseconds);
    if (error != std::errc() || stop != plain.data() + colon) return std::nullopt;
    if (milliseconds < 0 || milliseconds >= end_of_year_9999_ms) return std::nullopt;
    std::string id = plain.substr(colon + 1);
    if (id.empty() || !std::ranges::all_of(id, is_id_character)) return std::nullopt;
    return Cursor{base::SystemTime(std::chrono::milliseconds(milliseconds)), std::move(id)};
}

} // namespace docmap::api
