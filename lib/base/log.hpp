// Logs for operators: one line each, with structured fields, on standard error. Written through spdlog.
// Thread-safe after `configure`. A field must never hold a secret.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace docmap::base::log {

enum class Level { debug, info, warning, error };
enum class Format { json, text };

/// One `key: value` of a log line. Views must live until the call returns.
struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    Field(std::string_view name, std::string_view text) : key(name), value(text) {}
    Field(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}
    Field(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
    Field(std::string_view name, bool flag) : key(name), value(flag) {}
    Field(std::string_view name, double number) : key(name), value(number) {}
    template<std::integral Integer>
    requires(!std::same_as<Integer, bool>) Field(std::string_view name, Integer number)
        : key(name), value(static_cast<std::int64_t>(number)) {}
};

using Fields = std::initializer_list<Field>;

/// Sets level and format. Call once, before other threads start. Without it: level info, format text.
void configure(Level level, Format format);

/// Writes one line. Control characters in texts are escaped, so that a line stays a line.
void write(Level level, std::string_view message, Fields fields = {});

inline void debug(std::string_view message, Fields fields = {}) {
    write(Level::debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
    write(Level::info, message, fields);
}
inline void warning(std::string_view message, Fields fields = {}) {
    write(Level::warning, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
    write(Level::error, message, fields);
}

} // namespace docmap::base::log
