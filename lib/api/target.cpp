#include "api/target.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/parse_query.hpp>
#include <boost/url/url_view.hpp>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace docmap::api {

namespace urls = boost::urls;

namespace {

bool is_control(char character) {
    const auto code = static_cast<unsigned char>(character);
    return code < 0x20 || code == 0x7f;
}

} // namespace

std::optional<std::string> QueryParameters::find(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
}

ApiResult<std::optional<std::string>> QueryParameters::text(std::string_view name,
                                                            std::size_t max_bytes) const {
    std::optional<std::string> value = find(name);
    if (!value) return value;
    if (value->empty() || value->size() > max_bytes)
        return validation_error(name, "must have 1 to " + std::to_string(max_bytes) + " characters");
    // PostgreSQL refuses both, and neither is part of any id.
    if (!simdjson::validate_utf8(*value) || std::ranges::any_of(*value, is_control))
        return validation_error(name, "must be UTF-8 text without control characters");
    return value;
}

ApiResult<std::optional<std::int64_t>> QueryParameters::number(std::string_view name, std::int64_t min,
                                                               std::int64_t max) const {
    const std::optional<std::string> value = find(name);
    if (!value) return std::optional<std::int64_t>();
    std::int64_t number = 0;
    const char* const end = value->data() + value->size();
    const auto [stop, error] = std::from_chars(value->data(), end, number);
    if (error != std::errc() || stop != end || number < min || number > max)
        return validation_error(name, "must be a whole number from " + std::to_string(min) + " to " +
                                          std::to_string(max));
    return std::optional(number);
}

ApiResult<std::optional<std::size_t>>
QueryParameters::one_of(std::string_view name, const std::vector<std::string_view>& allowed) const {
    const std::optional<std::string> value = find(name);
    if (!value) return std::optional<std::size_t>();
    const auto found = std::ranges::find(allowed, *value);
    if (found != allowed.end()) return std::optional(static_cast<std::size_t>(found - allowed.begin()));
    std::string reason = "must be one of ";
    for (std::size_t i = 0; i < allowed.size(); ++i)
        reason.append(i == 0 ? "" : ", ").append(allowed[i]);
    return validation_error(name, reason);
}

ApiResult<Target> parse_target(std::string_view target) {
    const auto url = target.starts_with('/') ? urls::parse_origin_form(target) : urls::parse_uri(target);
    if (!url) return malformed_request("the target is not a path");
    Target result;
    for (const auto segment : url->segments())
        result.segments.push_back(segment);
    const std::string_view query = url->encoded_query();
    result.encoded_query.assign(query.data(), query.size());
    return result;
}

ApiResult<QueryParameters> parse_query(std::string_view encoded_query) {
    std::map<std::string, std::string, std::less<>> values;
    if (encoded_query.empty()) return QueryParameters();
    const auto parameters = urls::parse_query(encoded_query);
    if (!parameters) return validation_error("query", "is not correctly percent-encoded");
    for (const auto parameter : *parameters) {
        urls::encoding_opts form;
        form.space_as_plus = true;
        std::string name = parameter.key.decode(form);
        if (!values.emplace(name, parameter.value.decode(form)).second)
            return validation_error(name, "must not be given twice");
    }
    return QueryParameters(std::move(values));
}

} // namespace docmap::api
