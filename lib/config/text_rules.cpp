#include "config/text_rules.hpp"

#include "base/ip_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

namespace docmap::config {
namespace {

using Refusal = std::optional<std::string>;

constexpr std::size_t max_topic_characters = 249; // Kafka's own limit
constexpr std::size_t max_group_id_characters = 255;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Nothing where the text is no decimal number of 0 to 65535.
std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return port;
}

/// `host`, `host:port` or `[address]:port`, with an optional `PROTOCOL://` before it, as librdkafka takes it.
bool is_broker(std::string_view broker) {
    if (const std::size_t scheme = broker.find("://"); scheme != std::string_view::npos)
        broker.remove_prefix(scheme + 3);
    const std::size_t host_end = broker.starts_with('[') ? broker.find(']') : std::size_t{0};
    const std::size_t colon = broker.find(':', host_end == std::string_view::npos ? 0 : host_end);
    const std::string_view host = broker.substr(0, colon);
    const auto belongs_to_host = [](char c) {
        return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_' || c == '[' || c == ']' || c == ':';
    };
    if (host.empty() || !std::ranges::all_of(host, belongs_to_host)) return false;
    return colon == std::string_view::npos || parse_port(broker.substr(colon + 1)).value_or(0) != 0;
}

Refusal check_brokers(std::string_view text) {
    const std::vector<std::string> brokers = split_list(text);
    if (brokers.empty()) return "no broker is named; write host:port, several separated by commas";
    for (const std::string& broker : brokers)
        if (!is_broker(broker))
            return quote(broker) + " is not a broker's address; write host:port, several separated by commas";
    return std::nullopt;
}

Refusal check_group_id(std::string_view text) {
    if (text.empty() || text.size() > max_group_id_characters || std::ranges::any_of(text, is_control))
        return quote(text) + " is not a consumer group's name; use 1 to 255 printable characters";
    return std::nullopt;
}

Refusal check_topic(std::string_view text) {
    const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; };
    const bool valid = !text.empty() && text.size() <= max_topic_characters && text != "." && text != ".." &&
                       std::ranges::all_of(text, allowed);
    if (valid) return std::nullopt;
    return quote(text) +
           " is not a topic's name; use 1 to 249 letters, digits, dots, hyphens and underscores";
}

/// True for `keyword=value keyword='value'`, as libpq takes it; at least one pair.
bool is_keyword_string(std::string_view text) {
    bool any = false;
    std::size_t position = 0;
    const auto skip_spaces = [&] {
        position = std::min(text.find_first_not_of(" \t\n", position), text.size());
    };
    for (skip_spaces(); position < text.size(); skip_spaces()) {
        const std::size_t keyword = position;
        while (position < text.size() && (is_letter_or_digit(text[position]) || text[position] == '_'))
            ++position;
        if (position == keyword) return false;
        skip_spaces();
        if (position == text.size() || text[position] != '=') return false;
        ++position;
        skip_spaces();
        const bool quoted = position < text.size() && text[position] == '\'';
        const std::string_view value_end = quoted ? "'" : " \t\n";
        if (quoted) ++position;
        while (position < text.size() && value_end.find(text[position]) == std::string_view::npos)
            position += text[position] == '\\' ? 2U : 1U;
        if (position > text.size() || (quoted && position == text.size())) return false;
        if (quoted) ++position;
        any = true;
    }
    return any;
}

Refusal check_postgres_url(std::string_view text) {
    const bool is_url = text.starts_with("postgresql://") || text.starts_with("postgres://");
    const bool has_space = std::ranges::any_of(text, [](char c) { return c == ' ' || is_control(c); });
    if (is_url ? !has_space : is_keyword_string(text)) return std::nullopt;
    return "is neither a URL (postgresql://user@host:5432/database) nor a keyword string (host=… dbname=…); "
           "the "
           "value is not shown, as it may hold a password";
}

Refusal check_network(std::string_view text) {
    const auto network = base::IpNetwork::from_string(text);
    if (network) return std::nullopt;
    return network.error().message;
}

Refusal check_file(std::string_view text) {
    if (std::ranges::any_of(text, is_control))
        return quote(text) + " is not a file's path; leave out the control characters";
    return std::nullopt;
}

Refusal check_listen_address(std::string_view text) {
    const auto address = parse_listen_address(text);
    if (address) return std::nullopt;
    return address.error().message;
}

} // namespace

const TextRule a_broker_list{"host:port, several separated by commas", check_brokers};
const TextRule a_group_id{"1 to 255 characters", check_group_id};
const TextRule a_topic{"topic names", check_topic};
const TextRule a_postgres_url{"a libpq URL or keyword string", check_postgres_url};
const TextRule a_network{"CIDR blocks", check_network};
const TextRule a_file{"a file's path, or empty", check_file};
const TextRule a_listen_address{"IPv4:port or [IPv6]:port", check_listen_address};

base::Result<ListenAddress> parse_listen_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    std::string_view host = text.substr(0, std::min(colon, text.size()));
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = base::IpAddress::from_string(host);
    const auto port = colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
    if (!address || !port || address->is_v6() != bracketed)
        return base::Error{quote(text) +
                           " is not an address to listen on; write an IP address and a port, such as "
                           "\"127.0.0.1:8080\" or \"[::]:8080\""};
    return ListenAddress{address->to_string(), *port};
}

} // namespace docmap::config
