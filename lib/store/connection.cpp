#include "store/connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <libpq-fe.h>
#include <memory>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace docmap::store {

namespace {

constexpr std::size_t max_description_characters = 500;
/// A server that says more than this unasked is not usable.
constexpr int max_unasked_reads = 100;

/// The longest that a transaction stands open without a statement. A process that was stopped in the middle
/// of one must neither hold its locks nor commit what was right when it was stopped: others may have taken
/// over since. Shorter than the usual session of a consumer group.
constexpr std::chrono::milliseconds max_idle_in_transaction{1000};

struct ParsedFree {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using ParsedParameters = std::unique_ptr<PQconninfoOption, ParsedFree>;

void append_parameter(std::string& out, std::string_view key, std::string_view value) {
    if (!out.empty()) out += ' ';
    out.append(key).append("='");
    for (const char c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    out += '\'';
}

/// Session settings, as the server's command-line options. Later ones win, so the URL's own come last.
std::string session_options(const config::Postgres& settings, Planning planning, std::string_view own) {
    std::string options = "-c statement_timeout=" + std::to_string(settings.statement_timeout.count());
    options += " -c idle_in_transaction_session_timeout=" +
               std::to_string(std::min(settings.statement_timeout, max_idle_in_transaction).count());
    options += " -c client_min_messages=error -c plan_cache_mode=";
    options += planning == Planning::once ? "force_generic_plan" : "force_custom_plan";
    // A plan that is made while a table is empty must fit when it is not any more: look-ups in indexes only.
    if (planning == Planning::once)
        options += " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";
    if (!own.empty()) options.append(" ").append(own);
    return options;
}

/// Line ends and tabs become one separator each; the text is cut at a length fit for a log line.
std::string one_line(std::string_view text) {
    std::string line;
    bool gap = false;
    for (const char c : text) {
        const bool separator = c == '\n' || c == '\t' || c == '\r' || c == ' ';
        if (!separator) {
            if (gap && !line.empty()) line += ' ';
            line += c;
        }
        gap = separator;
    }
    if (line.size() > max_description_characters) line.resize(max_description_characters);
    return line;
}

} // namespace

base::Result<std::string> connection_parameters(const config::Postgres& settings, Planning planning) {
    char* parse_error = nullptr;
    const ParsedParameters parsed(PQconninfoParse(settings.url.c_str(), &parse_error));
    PQfreemem(parse_error);
    if (!parsed)
        return base::Error{
            "postgres.url is not a connection URL (it is not shown, as it may hold a password): "
            "expected postgresql://user@host:port/database"};

    using std::chrono::ceil;
    using std::chrono::seconds;
    const auto connect_seconds = std::max(seconds{2}, ceil<seconds>(settings.connect_timeout));
    struct Default {
        std::string_view key;
        std::string value;
    };
    // A dead peer is noticed within 25 seconds while idle, and within the statement timeout while sending.
    const std::array<Default, 8> defaults = {{
        {"application_name", "docmap-webhookd"},
        {"connect_timeout", std::to_string(connect_seconds.count())},
        {"keepalives", "1"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", std::to_string(settings.statement_timeout.count())},
        {"target_session_attrs", "read-write"},
    }};

    std::string result;
    std::string_view own_options;
    for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
        const std::string_view key = option->keyword;
        const bool set = option->val != nullptr && *option->val != '\0';
        if (key == "options") {
            if (set) own_options = option->val;
        } else if (key == "client_encoding") {
            continue; // always UTF-8, below
        } else if (set) {
            append_parameter(result, key, option->val);
        } else {
            const auto found = std::find_if(defaults.begin(), defaults.end(),
                                            [&](const Default& entry) { return entry.key == key; });
            if (found != defaults.end()) append_parameter(result, key, found->value);
        }
    }
    append_parameter(result, "client_encoding", "UTF8");
    append_parameter(result, "options", session_options(settings, planning, own_options));
    return base::success(std::move(result));
}

Connection::Connection(const std::string& parameters) : native_(parameters) {
    compat::forbid_silent_reconnect(native_);
}

bool Connection::alive() {
    // Something to read while nothing was asked: usually the end, sometimes a change of a server setting.
    for (int turn = 0; turn < max_unasked_reads && native_.is_open(); ++turn) {
        pollfd entry{native_.sock(), POLLIN | POLLRDHUP, 0};
        if (::poll(&entry, 1, 0) == 0) return true;
        try {
            native_.get_notifs();
        } catch (const pqxx::failure&) {
            return false;
        }
    }
    return false;
}

void Connection::break_off() noexcept {
    ::shutdown(native_.sock(), SHUT_RDWR);
}

std::vector<std::string>& Connection::buffers(std::size_t count) {
    buffers_.resize(std::max(buffers_.size(), count));
    for (std::string& buffer : buffers_)
        buffer.clear();
    return buffers_;
}

void Connection::prepare(const Statement& statement) {
    if (std::find(prepared_.begin(), prepared_.end(), &statement) != prepared_.end()) return;
    native_.prepare(statement.name, statement.sql);
    prepared_.push_back(&statement);
}

std::string describe(const std::exception& failure) {
    const auto* sql = dynamic_cast<const pqxx::sql_error*>(&failure);
    if (sql == nullptr) return one_line(failure.what());
    // The lines after the first (DETAIL, CONTEXT) may repeat stored data.
    const std::string_view text = failure.what();
    std::string line = one_line(text.substr(0, text.find('\n')));
    if (!sql->sqlstate().empty()) line += " (SQLSTATE " + sql->sqlstate() + ")";
    return line;
}

std::optional<std::string> reason_of_loss(const std::exception& failure, Connection& connection) {
    const auto* sql = dynamic_cast<const pqxx::sql_error*>(&failure);
    const std::string state = sql != nullptr ? sql->sqlstate() : "";
    // Server going down, connection broken, or a primary that became a standby.
    if (state.starts_with("57P") || state.starts_with("08") || state == "25006") return describe(failure);
    // What libpqxx 6.4 then says is about its own next step, not about the loss.
    if (dynamic_cast<const pqxx::broken_connection*>(&failure) != nullptr || !connection.alive())
        return "the connection was lost";
    return std::nullopt;
}

} // namespace docmap::store
