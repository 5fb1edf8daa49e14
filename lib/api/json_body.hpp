// Reads a request body as a JSON object, more strictly than RFC 8259 asks for. Pure.
#pragma once

#include "api/error.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string_view>

namespace docmap::api {

inline constexpr std::size_t max_json_depth = 16;

/// The object in `body`: UTF-8, nested at most `max_json_depth` deep, no field twice in one object. Its size
/// is bounded by the body's.
ApiResult<boost::json::object> read_json_object(std::string_view body);

/// True for `application/json`, in any case, with no parameter or `charset=utf-8`.
bool is_json_content_type(std::string_view value);

} // namespace docmap::api
