// PostgreSQL array literals (`{"a","b",NULL}`), written by hand into reused strings: libpqxx 6.4 has no array
// parameters, and this is the cheapest form there is. Pure; one thread per object.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace docmap::store {

class ArrayLiteral {
  public:
    /// Appends to `out`, which must be empty and outlive this.
    explicit ArrayLiteral(std::string& out) : out_(out) { out_ += '{'; }

    /// Any text. What PostgreSQL would refuse (NUL, invalid UTF-8) becomes `?`: one odd byte must not keep a
    /// whole batch from being stored.
    void text(std::string_view value);
    void boolean(bool value);
    void integer(std::int64_t value);
    /// A point in time as seconds since the epoch with three decimals, for to_timestamp().
    void seconds(std::int64_t milliseconds);
    /// A bytea in its hex form.
    void bytes(std::span<const unsigned char> value);
    void null();

    /// Ends the literal. Call once, last.
    void close();

  private:
    void separate();
    void escape(std::string_view value);

    std::string& out_;
    bool empty_ = true;
};

/// True where PostgreSQL can take `text`: valid UTF-8 without NUL. No row holds any other text.
bool is_storable(std::string_view text);

/// One array literal of texts.
std::string text_array(std::span<const std::string> values);

/// One array literal of integers.
std::string integer_array(std::span<const std::int64_t> values);

} // namespace docmap::store
