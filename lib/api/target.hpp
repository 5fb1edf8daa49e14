// The request target taken apart: path and query parameters, percent-decoded. Pure.
#pragma once

#include "api/error.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::api {

/// Query parameters by name; each at most once.
class QueryParameters {
  public:
    QueryParameters() = default;
    explicit QueryParameters(std::map<std::string, std::string, std::less<>> values)
        : values_(std::move(values)) {}

    /// The value as sent; nothing where the parameter is absent.
    std::optional<std::string> find(std::string_view name) const;

    /// As find; 1 to `max_bytes` bytes of UTF-8 without control characters.
    ApiResult<std::optional<std::string>> text(std::string_view name, std::size_t max_bytes) const;

    /// As find; a decimal number of `min` to `max`.
    ApiResult<std::optional<std::int64_t>> number(std::string_view name, std::int64_t min,
                                                  std::int64_t max) const;

    /// As find; the position of the value in `allowed`.
    ApiResult<std::optional<std::size_t>> one_of(std::string_view name,
                                                 const std::vector<std::string_view>& allowed) const;

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

struct Target {
    std::vector<std::string> segments; ///< of the path, decoded: `/v1/webhooks` is `v1`, `webhooks`
    std::string encoded_query;         ///< as sent; read by `parse_query` once the client is known
};

/// Takes a target in origin form or absolute form apart (RFC 9112, section 3.2).
ApiResult<Target> parse_target(std::string_view target);

/// Reads `name=value` pairs. A parameter that appears twice is refused: which one counts would be a guess.
ApiResult<QueryParameters> parse_query(std::string_view encoded_query);

} // namespace docmap::api
