// The cursor of a paged listing: names the last row shown. Opaque to clients. Pure.
#pragma once

#include "base/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace docmap::api {

/// A place in a listing that runs from newest to oldest, then by id.
struct Cursor {
    base::SystemTime created_at;
    std::string id;

    friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// Text of `A-Za-z0-9_-` only, so that it goes into a URL as it is.
std::string encode_cursor(const Cursor& cursor);

/// Nothing on a text that `encode_cursor` does not make.
std::optional<Cursor> decode_cursor(std::string_view text);

} // namespace docmap::api
