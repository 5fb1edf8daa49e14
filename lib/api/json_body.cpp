#include "api/json_body.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <boost/system/errc.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace docmap::api {

namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;

/// Builds a value from the parser's events and stops at a field that its object has already. Boost.JSON's own
/// builder keeps the last one, so that two readers of one body may see different values.
class StrictBuilder {
  public:
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();

    json::value release() { return values_.release(); }
    const std::optional<std::string>& duplicate() const { return duplicate_; }

    bool on_document_begin(ErrorCode&) {
        values_.reset();
        return true;
    }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_object_begin(ErrorCode&) {
        fields_.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t count, ErrorCode&) {
        fields_.pop_back();
        values_.push_object(count);
        return true;
    }
    bool on_array_begin(ErrorCode&) { return true; }
    bool on_array_end(std::size_t count, ErrorCode&) {
        values_.push_array(count);
        return true;
    }
    bool on_key_part(json::string_view text, std::size_t, ErrorCode&) {
        field_.append(text.data(), text.size());
        values_.push_chars(text);
        return true;
    }
    bool on_key(json::string_view text, std::size_t, ErrorCode& error) {
        field_.append(text.data(), text.size());
        values_.push_key(text);
        const auto [name, is_new] = fields_.back().insert(std::exchange(field_, {}));
        if (is_new) return true;
        duplicate_ = *name;
        error = make_error_code(boost::system::errc::invalid_argument);
        return false;
    }
    bool on_string_part(json::string_view text, std::size_t, ErrorCode&) {
        values_.push_chars(text);
        return true;
    }
    bool on_string(json::string_view text, std::size_t, ErrorCode&) {
        values_.push_string(text);
        return true;
    }
    bool on_number_part(json::string_view, ErrorCode&) { return true; }
    bool on_int64(std::int64_t number, json::string_view, ErrorCode&) {
        values_.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, json::string_view, ErrorCode&) {
        values_.push_uint64(number);
        return true;
    }
    bool on_double(double number, json::string_view, ErrorCode&) {
        values_.push_double(number);
        return true;
    }
    bool on_bool(bool flag, ErrorCode&) {
        values_.push_bool(flag);
        return true;
    }
    bool on_null(ErrorCode&) {
        values_.push_null();
        return true;
    }
    bool on_comment_part(json::string_view, ErrorCode&) { return true; }
    bool on_comment(json::string_view, ErrorCode&) { return true; }

  private:
    json::value_stack values_;
    std::vector<std::set<std::string>> fields_; ///< names seen, one set per open object
    std::string field_;                         ///< the name being read
    std::optional<std::string> duplicate_;
};

json::parse_options strict_options() {
    json::parse_options options;
    options.max_depth = max_json_depth;
    return options;
}

} // namespace

ApiResult<json::object> read_json_object(std::string_view body) {
    if (body.empty()) return validation_error("body", "is empty; a JSON object is expected");

    json::basic_parser<StrictBuilder> parser(strict_options());
    ErrorCode error;
    const std::size_t used = parser.write_some(false, body.data(), body.size(), error);
    if (const std::optional<std::string>& name = parser.handler().duplicate())
        return validation_error("body", "has the field \"" + *name + "\" twice");
    if (error == json::error::too_deep)
        return validation_error("body", "is nested more than " + std::to_string(max_json_depth) + " deep");
    if (error) return validation_error("body", "is not valid JSON: " + error.message());
    if (used < body.size()) return validation_error("body", "has something behind the JSON object");

    json::value value = parser.handler().release();
    if (!value.is_object()) return validation_error("body", "must be a JSON object");
    return std::move(value.get_object());
}

bool is_json_content_type(std::string_view value) {
    const std::size_t semicolon = value.find(';');
    const std::string type = boost::trim_copy(std::string(value.substr(0, semicolon)));
    if (!boost::iequals(type, "application/json")) return false;
    if (semicolon == std::string_view::npos) return true;
    const std::string parameter = boost::trim_copy(std::string(value.substr(semicolon + 1)));
    return parameter.empty() || boost::iequals(parameter, "charset=utf-8") ||
           boost::iequals(parameter, "charset=\"utf-8\"");
}

} // namespace docmap::api
