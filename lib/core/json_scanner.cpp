#include "core/json_scanner.hpp"

#include <vector>

namespace docmap::core {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// One pass over the text with an explicit stack, so that depth costs no call stack.
class Scanner {
  public:
    Scanner(std::string_view text, std::size_t max_depth, const JsonMember& on_member)
        : text_(text), max_depth_(max_depth), on_member_(on_member) {}

    std::optional<JsonFault> run() {
        skip_spaces();
        if (at_end()) fail("the value is empty");
        while (!fault_ && (opens_container() || another_value_follows())) {
        }
        skip_spaces();
        if (!fault_ && !at_end()) fail("something follows the JSON value");
        return fault_;
    }

  private:
    /// At a value: scans a whole scalar or an empty container, or opens a container and moves to its first
    /// value, which returns true.
    bool opens_container() {
        if (is_in_root_object()) value_start_ = at_;
        switch (peek()) {
        case '{':
            return open('}');
        case '[':
            return open(']');
        case '"':
            scan_string();
            return false;
        case 't':
            scan_word("true");
            return false;
        case 'f':
            scan_word("false");
            return false;
        case 'n':
            scan_word("null");
            return false;
        default:
            scan_number();
            return false;
        }
    }

    bool open(char closing) {
        ++at_;
        skip_spaces();
        if (peek() == closing) {
            ++at_;
            return false;
        }
        if (containers_.size() == max_depth_) {
            fail("arrays and objects are nested too deeply");
            return false;
        }
        containers_.push_back(closing);
        if (closing == '}') scan_name();
        return true;
    }

    /// Behind a value: closes the containers that end here, and moves to the next value if there is one.
    bool another_value_follows() {
        while (!fault_) {
            if (is_in_root_object()) on_member_(name_, text_.substr(value_start_, at_ - value_start_));
            if (containers_.empty()) return false;
            skip_spaces();
            if (peek() != containers_.back()) return scan_separator();
            ++at_;
            containers_.pop_back();
        }
        return false;
    }

    bool scan_separator() {
        const bool in_object = containers_.back() == '}';
        if (peek() != ',') {
            fail(in_object ? "a comma or } is missing" : "a comma or ] is missing");
            return false;
        }
        ++at_;
        skip_spaces();
        if (in_object) scan_name();
        return true;
    }

    void scan_name() {
        const std::size_t start = at_;
        if (peek() != '"') return fail("a member name in quotes is missing");
        scan_string();
        if (fault_) return;
        if (is_in_root_object()) name_ = text_.substr(start, at_ - start);
        skip_spaces();
        if (peek() != ':') return fail("a colon is missing");
        ++at_;
        skip_spaces();
    }

    void scan_string() {
        ++at_;
        while (!at_end() && text_[at_] != '"') {
            if (static_cast<unsigned char>(text_[at_]) < 0x20)
                return fail("a control character stands in a string");
            if (text_[at_++] == '\\') scan_escape();
            if (fault_) return;
        }
        if (at_end()) return fail("a string does not end");
        ++at_;
    }

    void scan_escape() {
        const char kind = peek();
        if (kind != 'u') {
            if (std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos)
                return fail("an escape in a string is unknown");
            ++at_;
            return;
        }
        ++at_;
        for (int digit = 0; digit < 4; ++digit, ++at_)
            if (!is_hex_digit(peek())) return fail("\\u is not followed by four hexadecimal digits");
    }

    void scan_number() {
        if (peek() == '-') ++at_;
        if (!is_digit(peek())) return fail("a value is missing");
        if (peek() == '0')
            ++at_;
        else
            skip_digits();
        if (peek() == '.') {
            ++at_;
            if (!is_digit(peek())) return fail("a number has no digit after its point");
            skip_digits();
        }
        if (peek() != 'e' && peek() != 'E') return;
        ++at_;
        if (peek() == '+' || peek() == '-') ++at_;
        if (!is_digit(peek())) return fail("a number has no digit in its exponent");
        skip_digits();
    }

    void scan_word(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return fail("a value is missing");
        at_ += word.size();
    }

    /// Directly in the object at the top, not in a container within it.
    bool is_in_root_object() const { return containers_.size() == 1 && containers_.front() == '}'; }

    /// The next character; zero at the end, which nothing that is looked for equals.
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    bool at_end() const { return at_ >= text_.size(); }

    void skip_spaces() {
        while (!at_end() && is_space(text_[at_]))
            ++at_;
    }

    void skip_digits() {
        while (is_digit(peek()))
            ++at_;
    }

    void fail(std::string_view problem) { fault_ = JsonFault{at_, problem}; }

    std::string_view text_;
    std::size_t max_depth_;
    const JsonMember& on_member_;
    std::size_t at_ = 0;
    std::vector<char> containers_; ///< the closing character of each container that is open
    std::string_view name_;        ///< of the member of the root whose value is being scanned
    std::size_t value_start_ = 0;
    std::optional<JsonFault> fault_;
};

} // namespace

std::optional<JsonFault> scan_json(std::string_view text, std::size_t max_depth,
                                   const JsonMember& on_member) {
    return Scanner(text, max_depth, on_member).run();
}

} // namespace docmap::core
