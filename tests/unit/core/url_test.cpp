#include "core/url.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::core {
namespace {

/// `scheme|host|port|target|Host`, or what is wrong.
std::string parse(std::string_view text, bool allow_http = false) {
    const auto url = parse_webhook_url(text, allow_http);
    if (!url) return "error: " + url.error().message;
    return std::string(url->origin.https ? "https" : "http") + "|" + url->origin.host + "|" +
           std::to_string(url->origin.port) + "|" + url->target + "|" + url->host_header;
}

std::string label(std::size_t size) {
    return std::string(size, 'a');
}

TEST(WebhookUrl, IsTakenApart) {
    EXPECT_EQ(parse("https://your-app.com/webhooks/docmap"),
              "https|your-app.com|443|/webhooks/docmap|your-app.com");
    EXPECT_EQ(parse("https://example.com/a/b?c=d&e=%20f"),
              "https|example.com|443|/a/b?c=d&e=%20f|example.com");
    EXPECT_EQ(parse("https://example.com:8443/a"), "https|example.com|8443|/a|example.com:8443");
    EXPECT_EQ(parse("https://example.com/a//b/../c;d=1:2@x"),
              "https|example.com|443|/a//b/../c;d=1:2@x|example.com");
}

TEST(WebhookUrl, HasATargetThatBeginsWithASlash) {
    EXPECT_EQ(parse("https://example.com"), "https|example.com|443|/|example.com");
    EXPECT_EQ(parse("https://example.com/"), "https|example.com|443|/|example.com");
    EXPECT_EQ(parse("https://example.com?a=b"), "https|example.com|443|/?a=b|example.com");
    EXPECT_EQ(parse("https://example.com/?"), "https|example.com|443|/?|example.com");
}

TEST(WebhookUrl, HasSchemeAndHostInLowerCase) {
    EXPECT_EQ(parse("HTTPS://Hooks.EXAMPLE.com/Path"), "https|hooks.example.com|443|/Path|hooks.example.com");
}

TEST(WebhookUrl, LeavesTheSchemesOwnPortOutOfHost) {
    EXPECT_EQ(parse("https://example.com:443/"), "https|example.com|443|/|example.com");
    EXPECT_EQ(parse("https://example.com:/"), "https|example.com|443|/|example.com");
    EXPECT_EQ(parse("https://example.com:80/"), "https|example.com|80|/|example.com:80");
    EXPECT_EQ(parse("http://example.com:80/", true), "http|example.com|80|/|example.com");
    EXPECT_EQ(parse("http://example.com:443/", true), "http|example.com|443|/|example.com:443");
    EXPECT_EQ(parse("https://example.com:00443/"), "https|example.com|443|/|example.com");
}

TEST(WebhookUrl, IsHttpOnlyWhereAllowed) {
    EXPECT_EQ(parse("http://example.com/", true), "http|example.com|80|/|example.com");
    EXPECT_EQ(parse("http://example.com/", false),
              "error: must begin with https://; http:// is not allowed here");
    EXPECT_EQ(parse("https://example.com/", true), "https|example.com|443|/|example.com");
}

TEST(WebhookUrl, RefusesOtherSchemes) {
    EXPECT_EQ(parse("ftp://example.com/", true), "error: scheme \"ftp\" is not supported; use https");
    EXPECT_EQ(parse("file:///etc/passwd", true), "error: scheme \"file\" is not supported; use https");
    EXPECT_EQ(parse("javascript:alert(1)", true), "error: scheme \"javascript\" is not supported; use https");
}

TEST(WebhookUrl, RefusesWhatIsNoAbsoluteUrl) {
    const std::string no_url =
        "error: is not an absolute URL; write one such as https://example.com/webhooks, with "
        "special characters percent-encoded";
    // Boost.URL says of the last two in its releases that they are no URL, or that they have no such host.
    for (const char* text : {"example.com/hook", "/hook", "//example.com/", "https", "https://exa mple.com",
                             "https://[fe80::1%25eth0]/", "https://1.2.3.4.5/"})
        EXPECT_TRUE(parse(text).starts_with("error: ")) << text;
    for (const char* text : {"example.com/hook", "/hook", "//example.com/", "https://example.com/{id}",
                             "https://example.com/a\\b", "https://example.com/%zz", "https://[::1",
                             "https://[::g]/", "https://example.com:80a/", "https://a:b:c/",
                             "https://[::1]a/", "https://example.com/<x>", "https://exa\"mple.com/"})
        EXPECT_EQ(parse(text), no_url) << text;
}

TEST(WebhookUrl, RefusesMissingHosts) {
    const std::string no_host = "error: has no host; write a URL such as https://example.com/webhooks";
    EXPECT_EQ(parse("https:example.com"), no_host);
    EXPECT_EQ(parse("https:/example.com"), no_host);
    EXPECT_EQ(parse("https:///path"), no_host);
    EXPECT_EQ(parse("https://:443/path"), no_host);
    EXPECT_EQ(parse(""), "error: must not be empty; write a URL such as https://example.com/webhooks");
}

TEST(WebhookUrl, RefusesUserInformationWithoutRepeatingIt) {
    for (const char* text : {"https://user@example.com/", "https://user:hunter2@example.com/",
                             "https://@example.com/", "https://good.com@evil.com/"})
        EXPECT_EQ(parse(text), "error: must not hold a user name or password; deliveries are signed instead")
            << text;
}

TEST(WebhookUrl, RefusesFragments) {
    for (const char* text : {"https://example.com/#top", "https://example.com/#", "https://example.com#a"})
        EXPECT_EQ(parse(text), "error: must not hold a fragment (#…); it would never be sent") << text;
}

TEST(WebhookUrl, RefusesCharactersThatBelongEncoded) {
    using namespace std::string_literals;
    EXPECT_EQ(parse("https://bücher.example/"), "error: holds a character outside ASCII; write host names in "
                                                "punycode (xn--…) and other characters percent-encoded");
    EXPECT_EQ(parse("https://xn--bcher-kva.example/"),
              "https|xn--bcher-kva.example|443|/|xn--bcher-kva.example");
    EXPECT_EQ(parse("https://example.com/a b"), "error: holds a space; write it as %20");
    EXPECT_EQ(parse(" https://example.com/"), "error: holds a space; write it as %20");
    for (const std::string& text : {"https://example.com/a\r\nX: y"s, "https://example.com/\t"s,
                                    "https://example.com/\0"s, "https://example.com/\x7f"s})
        EXPECT_EQ(parse(text), "error: holds a control character; leave it out");
}

TEST(WebhookUrl, HasAtMost2048Characters) {
    const std::string start = "https://example.com/";
    EXPECT_EQ(parse_webhook_url(start + std::string(2048 - start.size(), 'a'), false).value().target.size(),
              2029U);
    EXPECT_EQ(parse(start + std::string(2049 - start.size(), 'a')),
              "error: has 2049 characters; at most 2048 are allowed");
}

TEST(WebhookUrl, HasAValidHostName) {
    EXPECT_EQ(parse("https://" + label(63) + ".com/"),
              "https|" + label(63) + ".com|443|/|" + label(63) + ".com");
    EXPECT_EQ(parse("https://localhost/"), "https|localhost|443|/|localhost");
    EXPECT_EQ(parse("https://my_service.internal/"), "https|my_service.internal|443|/|my_service.internal");
    EXPECT_EQ(parse("https://4chan.org/"), "https|4chan.org|443|/|4chan.org");
    EXPECT_EQ(parse("https://" + label(64) + ".com/"),
              "error: host \"" + label(64) + ".com\" has a part of more than 63 characters between dots");

    const std::string longest = label(63) + "." + label(63) + "." + label(63) + "." + label(61);
    EXPECT_EQ(parse("https://" + longest + "/"), "https|" + longest + "|443|/|" + longest);
    EXPECT_EQ(parse("https://" + longest + "a/"),
              "error: the host has 254 characters; at most 253 are allowed");

    EXPECT_EQ(parse("https://a..b/"), "error: host \"a..b\" has an empty part between dots");
    EXPECT_EQ(parse("https://.a/"), "error: host \".a\" has an empty part between dots");
    EXPECT_EQ(parse("https://example.com./"), "error: host \"example.com.\" ends with a dot; leave it out");
    EXPECT_EQ(parse("https://-a.com/"),
              "error: host \"-a.com\" has a part that begins or ends with a hyphen");
    EXPECT_EQ(parse("https://a-.com/"),
              "error: host \"a-.com\" has a part that begins or ends with a hyphen");
    for (const char* host : {"a%2eb", "a!b", "a,b", "a$b.com", "a*b"})
        EXPECT_EQ(parse("https://" + std::string(host) + "/"),
                  "error: host \"" + std::string(host) +
                      "\" may hold only letters, digits, hyphens, underscores and dots");
}

TEST(WebhookUrl, TakesIpv4OnlyInDottedDecimal) {
    EXPECT_EQ(parse("https://203.0.113.7:8443/x"), "https|203.0.113.7|8443|/x|203.0.113.7:8443");
    for (const char* host : {"2130706433", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0177.0.0.1",
                             "127.0.0.01", "256.0.0.1", "0X7F.0.0.0x1", "a.b.1", "0"})
        EXPECT_EQ(parse("https://" + std::string(host) + "/"),
                  "error: host \"" + std::string(host) +
                      "\" is a number; write an IPv4 address as four decimal numbers, such as 203.0.113.7");
}

TEST(WebhookUrl, TakesIpv6InBrackets) {
    EXPECT_EQ(parse("https://[2001:DB8:0:0::1]/"), "https|2001:db8::1|443|/|[2001:db8::1]");
    EXPECT_EQ(parse("https://[::1]:8443/"), "https|::1|8443|/|[::1]:8443");
    EXPECT_EQ(parse("https://[::ffff:127.0.0.1]/"), "https|::ffff:127.0.0.1|443|/|[::ffff:127.0.0.1]");
    EXPECT_EQ(parse("https://[v1.a]/"),
              "error: host [v1.a] is not an IPv6 address; only IPv6 addresses go in brackets");
}

TEST(WebhookUrl, HasAPortInRange) {
    EXPECT_EQ(parse("https://example.com:65535/"), "https|example.com|65535|/|example.com:65535");
    EXPECT_EQ(parse("https://example.com:1/"), "https|example.com|1|/|example.com:1");
    for (const char* port : {"0", "65536", "99999999999999999999"})
        EXPECT_EQ(parse("https://example.com:" + std::string(port) + "/"),
                  "error: port " + std::string(port) + " is out of range; use 1 to 65535");
}

} // namespace
} // namespace docmap::core
