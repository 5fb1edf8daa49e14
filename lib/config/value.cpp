#include "config/value.hpp"

#include <charconv>
#include <cstddef>

namespace docmap::config {
namespace {

constexpr std::size_t max_quoted_bytes = 100;

struct Describe {
    std::string operator()(const std::string& text) const { return quote(text); }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(const std::vector<std::string>&) const { return "a list"; }
    std::string operator()(const OtherType& type) const { return type.name; }
};

bool is_continuation_byte(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

} // namespace

Value value_from_environment(std::string_view text, Kind kind) {
    switch (kind) {
    case Kind::text:
        break;
    case Kind::list:
        return split_list(text);
    case Kind::flag:
        if (text == "true") return true;
        if (text == "false") return false;
        break;
    case Kind::number: {
        std::int64_t number = 0;
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (status == std::errc{} && end == text.data() + text.size()) return number;
        break;
    }
    }
    return std::string(text);
}

std::string quote(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (quoted.size() > max_quoted_bytes && !is_continuation_byte(c)) return quoted + "…\"";
        if (byte < 0x20 || byte == 0x7f)
            quoted.append("\\x").append({digits[byte >> 4U], digits[byte & 0x0fU]});
        else
            quoted += c;
    }
    return quoted + "\"";
}

std::string describe(const Value& value) {
    return std::visit(Describe{}, value);
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    if (trim(text).empty()) return parts;
    while (true) {
        const std::size_t comma = text.find(',');
        parts.emplace_back(trim(text.substr(0, comma)));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

} // namespace docmap::config
