#include "store/array_literal.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstddef>

namespace docmap::store {

namespace {

enum class Kind : unsigned char { plain, escaped, suspect };

constexpr std::array<Kind, 256> make_kinds() {
    std::array<Kind, 256> kinds{};
    kinds['"'] = kinds['\\'] = Kind::escaped;
    kinds[0] = Kind::suspect;
    for (std::size_t byte = 0x80; byte < kinds.size(); ++byte)
        kinds[byte] = Kind::suspect;
    return kinds;
}

constexpr std::array<Kind, 256> kinds = make_kinds();

Kind kind_of(char c) {
    return kinds[static_cast<unsigned char>(c)];
}

void append_number(std::string& out, std::int64_t value) {
    std::array<char, 20> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end);
}

} // namespace

void ArrayLiteral::text(std::string_view value) {
    separate();
    out_ += '"';
    bool plain = true;
    bool suspect = false;
    for (const char c : value) {
        plain &= kind_of(c) == Kind::plain;
        suspect |= kind_of(c) == Kind::suspect;
    }
    if (plain) {
        out_.append(value);
    } else if (suspect && !is_storable(value)) {
        std::string cleaned(value);
        for (char& c : cleaned)
            if (kind_of(c) == Kind::suspect) c = '?';
        escape(cleaned);
    } else {
        escape(value);
    }
    out_ += '"';
}

void ArrayLiteral::boolean(bool value) {
    separate();
    out_ += value ? 't' : 'f';
}

void ArrayLiteral::integer(std::int64_t value) {
    separate();
    append_number(out_, value);
}

void ArrayLiteral::seconds(std::int64_t milliseconds) {
    separate();
    if (milliseconds < 0) {
        out_ += '-';
        milliseconds = -milliseconds;
    }
    append_number(out_, milliseconds / 1000);
    const auto fraction = milliseconds % 1000;
    out_ += '.';
    out_ += static_cast<char>('0' + fraction / 100);
    out_ += static_cast<char>('0' + fraction / 10 % 10);
    out_ += static_cast<char>('0' + fraction % 10);
}

void ArrayLiteral::bytes(std::span<const unsigned char> value) {
    static constexpr char digits[] = "0123456789abcdef";
    separate();
    out_.append("\"\\\\x");
    const std::size_t start = out_.size();
    out_.resize(start + 2 * value.size());
    char* to = out_.data() + start;
    for (const unsigned char byte : value) {
        *to++ = digits[byte >> 4U];
        *to++ = digits[byte & 0xFU];
    }
    out_ += '"';
}

void ArrayLiteral::null() {
    separate();
    out_.append("NULL");
}

void ArrayLiteral::close() {
    out_ += '}';
}

void ArrayLiteral::separate() {
    if (!empty_) out_ += ',';
    empty_ = false;
}

void ArrayLiteral::escape(std::string_view value) {
    for (const char c : value) {
        if (kind_of(c) == Kind::escaped) out_ += '\\';
        out_ += c;
    }
}

bool is_storable(std::string_view text) {
    return text.find('\0') == std::string_view::npos && simdjson::validate_utf8(text.data(), text.size());
}

std::string text_array(std::span<const std::string> values) {
    std::string out;
    ArrayLiteral array(out);
    for (const std::string& value : values)
        array.text(value);
    array.close();
    return out;
}

std::string integer_array(std::span<const std::int64_t> values) {
    std::string out;
    ArrayLiteral array(out);
    for (const std::int64_t value : values)
        array.integer(value);
    array.close();
    return out;
}

} // namespace docmap::store
