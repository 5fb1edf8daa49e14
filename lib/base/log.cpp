#include "base/log.hpp"

#include "base/time.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <boost/json/value.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace docmap::base::log {

namespace {

std::atomic<Format> current_format{Format::text};

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto created = std::make_shared<spdlog::logger>("docmap-webhookd",
                                                        std::make_shared<spdlog::sinks::stderr_sink_mt>());
        created->set_pattern("%v");
        created->flush_on(spdlog::level::debug);
        return created;
    }();
    return *instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
    case Level::debug:
        return spdlog::level::debug;
    case Level::info:
        return spdlog::level::info;
    case Level::warning:
        return spdlog::level::warn;
    case Level::error:
        return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string_view name_of(Level level) {
    switch (level) {
    case Level::debug:
        return "debug";
    case Level::info:
        return "info";
    case Level::warning:
        return "warning";
    case Level::error:
        return "error";
    }
    return "info";
}

/// The JSON form of a text, quotes included: also what the text format uses where a value needs quoting.
std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

bool needs_quotes(std::string_view text) {
    if (text.empty()) return true;
    for (const char c : text)
        if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\x7f') return true;
    return false;
}

std::string value_text(const Field& field, bool always_quote) {
    struct Visitor {
        bool quote;
        std::string operator()(std::string_view text) const {
            return quote || needs_quotes(text) ? quoted(text) : std::string(text);
        }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(double number) const {
            return boost::json::serialize(boost::json::value(number));
        }
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    };
    return std::visit(Visitor{always_quote}, field.value);
}

std::string json_line(Level level, std::string_view message, Fields fields) {
    std::string line = "{\"time\":\"" + format_iso8601(system_now()) + "\",\"level\":\"";
    line.append(name_of(level)).append("\",\"message\":").append(quoted(message));
    for (const Field& field : fields)
        line.append(",").append(quoted(field.key)).append(":").append(value_text(field, true));
    return line + "}";
}

std::string text_line(Level level, std::string_view message, Fields fields) {
    std::string line = format_iso8601(system_now());
    line.append(" ").append(name_of(level)).append(" ");
    const std::string escaped = quoted(message);
    line.append(escaped, 1, escaped.size() - 2);
    for (const Field& field : fields)
        line.append(" ").append(field.key).append("=").append(value_text(field, false));
    return line;
}

} // namespace

void configure(Level level, Format format) {
    current_format.store(format, std::memory_order_relaxed);
    logger().set_level(to_spdlog(level));
}

void write(Level level, std::string_view message, Fields fields) {
    const auto spdlog_level = to_spdlog(level);
    if (!logger().should_log(spdlog_level)) return;
    const bool json = current_format.load(std::memory_order_relaxed) == Format::json;
    logger().log(spdlog_level, json ? json_line(level, message, fields) : text_line(level, message, fields));
}

} // namespace docmap::base::log
