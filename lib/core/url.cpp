#include "core/url.hpp"

#include "base/ip_address.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace docmap::core {
namespace {

constexpr std::size_t max_host_characters = 253; // RFC 1035 2.3.4, without the root's dot
constexpr std::size_t max_label_characters = 63;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

/// What is wrong with the characters of the whole URL, whatever its parts are.
std::optional<base::Error> check_characters(std::string_view text) {
    if (text.empty())
        return base::Error{"must not be empty; write a URL such as https://example.com/webhooks"};
    if (text.size() > max_webhook_url_characters)
        return base::Error{"has " + std::to_string(text.size()) + " characters; at most " +
                           std::to_string(max_webhook_url_characters) + " are allowed"};
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80)
            return base::Error{
                "holds a character outside ASCII; write host names in punycode (xn--…) and other "
                "characters percent-encoded"};
        if (c == ' ') return base::Error{"holds a space; write it as %20"};
        if (c < 0x20 || c == 0x7f) return base::Error{"holds a control character; leave it out"};
    }
    return std::nullopt;
}

/// What is wrong with one label of a DNS name.
std::optional<std::string> check_label(std::string_view label) {
    if (label.empty()) return "has an empty part between dots";
    if (label.size() > max_label_characters) return "has a part of more than 63 characters between dots";
    if (label.front() == '-' || label.back() == '-') return "has a part that begins or ends with a hyphen";
    // The underscore is no part of host names (RFC 952), but internal names with it exist and resolve.
    const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
    if (!std::ranges::all_of(label, allowed))
        return "may hold only letters, digits, hyphens, underscores and dots";
    return std::nullopt;
}

/// True where resolvers may read the name as an IPv4 address in another notation: 2130706433, 127.1, 0x7f.1.
bool looks_like_ipv4(std::string_view last_label) {
    const bool hexadecimal = last_label.starts_with("0x") || last_label.starts_with("0X");
    return hexadecimal || std::ranges::all_of(last_label, is_digit);
}

/// The DNS name in lower case.
base::Result<std::string> check_name(std::string_view name) {
    const auto refused = [&](std::string_view reason) {
        return base::Error{"host \"" + std::string(name) + "\" " + std::string(reason)};
    };
    if (name.size() > max_host_characters)
        return base::Error{"the host has " + std::to_string(name.size()) +
                           " characters; at most 253 are allowed"};
    if (name.ends_with('.')) return refused("ends with a dot; leave it out");

    std::string_view rest = name;
    while (true) {
        const std::size_t dot = rest.find('.');
        const std::string_view label = rest.substr(0, dot);
        if (const auto reason = check_label(label)) return refused(*reason);
        if (dot == std::string_view::npos) break;
        rest.remove_prefix(dot + 1);
    }
    if (looks_like_ipv4(rest))
        return refused("is a number; write an IPv4 address as four decimal numbers, such as 203.0.113.7");
    return base::success(lower_case(name));
}

/// The host as in `Origin`: lower case, without brackets.
base::Result<std::string> read_host(const boost::urls::url_view& url) {
    const std::string text(url.encoded_host().data(), url.encoded_host().size());
    switch (url.host_type()) {
    case boost::urls::host_type::ipv4:
        return base::success(text);
    case boost::urls::host_type::ipv6: {
        const auto address = base::IpAddress::from_string(std::string_view(text).substr(1, text.size() - 2));
        if (!address) return base::Error{"host " + text + " is not an IPv6 address"};
        return base::success(address->to_string());
    }
    case boost::urls::host_type::ipvfuture:
        return base::Error{"host " + text + " is not an IPv6 address; only IPv6 addresses go in brackets"};
    default:
        break;
    }
    if (text.empty()) return base::Error{"has no host; write a URL such as https://example.com/webhooks"};
    return check_name(text);
}

base::Result<std::uint16_t> read_port(std::string_view text, std::uint16_t default_port) {
    if (text.empty()) return default_port;
    std::uint16_t port = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (status != std::errc{} || end != text.data() + text.size() || port == 0)
        return base::Error{"port " + std::string(text) + " is out of range; use 1 to 65535"};
    return port;
}

base::Result<bool> read_scheme(std::string_view scheme, bool allow_http) {
    const std::string name = lower_case(scheme);
    if (name == "https") return true;
    if (name != "http") return base::Error{"scheme \"" + name + "\" is not supported; use https"};
    if (!allow_http) return base::Error{"must begin with https://; http:// is not allowed here"};
    return false;
}

/// Boost 1.81 takes what cannot belong to host or port for the path: `1.2.3.4.5` for the host 1.2.3.4.
bool begins_path_rightly(const boost::urls::url_view& url) {
    const auto path = url.encoded_path();
    return !url.has_authority() || path.empty() || path.front() == '/';
}

} // namespace

base::Result<WebhookUrl> parse_webhook_url(std::string_view text, bool allow_http) {
    if (auto error = check_characters(text)) return *std::move(error);
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed || !begins_path_rightly(*parsed))
        return base::Error{
            "is not an absolute URL; write one such as https://example.com/webhooks, with special "
            "characters percent-encoded"};
    const boost::urls::url_view& url = *parsed;

    const base::Result<bool> https = read_scheme({url.scheme().data(), url.scheme().size()}, allow_http);
    if (!https) return https.error();
    if (!url.has_authority())
        return base::Error{"has no host; write a URL such as https://example.com/webhooks"};
    if (url.has_userinfo())
        return base::Error{"must not hold a user name or password; deliveries are signed instead"};
    if (url.has_fragment()) return base::Error{"must not hold a fragment (#…); it would never be sent"};

    base::Result<std::string> host = read_host(url);
    if (!host) return host.error();
    const std::uint16_t default_port = *https ? 443 : 80;
    const base::Result<std::uint16_t> port = read_port({url.port().data(), url.port().size()}, default_port);
    if (!port) return port.error();

    WebhookUrl result;
    result.origin = {.https = *https, .host = *std::move(host), .port = *port};
    result.target.assign(url.encoded_target().data(), url.encoded_target().size());
    if (!result.target.starts_with('/')) result.target.insert(0, "/");

    const bool is_ipv6 = url.host_type() == boost::urls::host_type::ipv6;
    result.host_header = is_ipv6 ? "[" + result.origin.host + "]" : result.origin.host;
    if (*port != default_port) result.host_header += ":" + std::to_string(*port);
    return result;
}

} // namespace docmap::core
