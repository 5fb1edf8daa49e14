#include "base/version.hpp"
#include "core/request_head.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <stdexcept>
#include <string>

namespace docmap::core {
namespace {

constexpr std::string_view secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
constexpr std::string_view body =
    R"({"id":"evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC","event":"extraction.completed","userId":"uid_a1b2c3d4e5f6",)"
    R"("extractionId":"extract-xyz789","createdAt":"2025-01-20T14:30:03.512Z",)"
    R"("data":{"status":"completed","fileName":"invoice.pdf"}})";
constexpr std::string_view traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::int64_t unix_seconds = 1737383403;

Webhook make_webhook() {
    Webhook webhook;
    webhook.id = WebhookId("webhook-abc123def456");
    webhook.parsed_url = {{true, "example.test", 8443}, "/hooks/docmap?x=1", "example.test:8443"};
    webhook.secret.text = secret;
    return webhook;
}

EventPtr make_event(std::string_view parent = {}, std::string_view state = {},
                    EventType type = EventType::extraction_completed) {
    RecordFields record;
    record.topic = &test::topic();
    record.value = body;
    record.traceparent = parent;
    record.tracestate = state;
    EventFields fields;
    fields.type = type;
    fields.id = "evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC";
    fields.user_id = "uid_a1b2c3d4e5f6";
    fields.extraction_id = "extract-xyz789";
    return Event::create(Record::create(record), fields);
}

DeliveryId delivery_id() {
    DeliveryId id;
    std::string_view("01ihk4rsl0abcdefghijklmn").copy(id.data(), id.size());
    return id;
}

std::string write(const RequestHead& head, const EventPtr& event, bool previous_secret_active = false,
                  std::int64_t seconds = unix_seconds) {
    std::string out = "of the request before";
    SignatureBatch signatures;
    head.write(out, *event, delivery_id(), seconds, previous_secret_active, signatures);
    signatures.sign();
    return out;
}

/// The value of a header, or `<none>`.
std::string header(const std::string& head, const std::string& name) {
    const std::size_t start = head.find("\r\n" + name + ": ");
    if (start == std::string::npos) return "<none>";
    const std::size_t value = start + name.size() + 4;
    return head.substr(value, head.find("\r\n", value) - value);
}

TEST(RequestHead, IsWhatTheContractAsksFor) {
    const RequestHead head(make_webhook());
    EXPECT_EQ(
        write(head, make_event()),
        std::string("POST /hooks/docmap?x=1 HTTP/1.1\r\n"
                    "Host: example.test:8443\r\n"
                    "User-Agent: DocMap-Webhooks/") +
            base::version +
            "\r\n"
            "Accept: */*\r\n"
            "Content-Type: application/json\r\n"
            "X-DocMap-Event: extraction.completed\r\n"
            "X-DocMap-Delivery: 01ihk4rsl0abcdefghijklmn\r\n"
            "X-DocMap-Signature: sha256=d666922b327e290f79f7e88344d17e5ff363ad9151114009d12da1831d329021\r\n"
            "webhook-id: evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC\r\n"
            "webhook-timestamp: 1737383403\r\n"
            "webhook-signature: v1,Qvp49U2YsA0nrXS5PB4xRjwI3wHkHlLsMPqHZCyEAbY=\r\n"
            "Content-Length: 224\r\n"
            "\r\n");
}

TEST(RequestHead, HeadsSignedTogetherAreThoseSignedAlone) {
    Webhook webhook = make_webhook();
    const RequestHead first(webhook);
    webhook.secret.text = std::string(64, '0');
    const RequestHead second(webhook);
    std::string first_out;
    std::string second_out;
    SignatureBatch signatures;
    first.write(first_out, *make_event(), delivery_id(), unix_seconds, false, signatures);
    second.write(second_out, *make_event(), delivery_id(), unix_seconds, false, signatures);
    signatures.sign();
    EXPECT_EQ(first_out, write(first, make_event()));
    EXPECT_EQ(second_out, write(second, make_event()));
    EXPECT_NE(header(first_out, "X-DocMap-Signature"), header(second_out, "X-DocMap-Signature"));
}

TEST(RequestHead, NamesTheOtherEvent) {
    const RequestHead head(make_webhook());
    EXPECT_EQ(header(write(head, make_event({}, {}, EventType::extraction_failed)), "X-DocMap-Event"),
              "extraction.failed");
}

TEST(RequestHead, WritesAnyTimestamp) {
    const RequestHead head(make_webhook());
    for (const std::int64_t seconds : {std::int64_t{0}, std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::max()}) {
        const std::string out = write(head, make_event(), false, seconds);
        EXPECT_EQ(header(out, "webhook-timestamp"), std::to_string(seconds));
    }
}

TEST(RequestHead, SignsWithBothSecretsDuringARotationNewestFirst) {
    Webhook webhook = make_webhook();
    webhook.previous_secret = SigningSecret{std::string(64, '0')};
    const RequestHead rotating(webhook);
    webhook.secret = *webhook.previous_secret;
    webhook.previous_secret.reset();
    const RequestHead previous(webhook);
    const RequestHead current(make_webhook());

    const std::string both = write(rotating, make_event(), true);
    EXPECT_EQ(header(both, "webhook-signature"),
              header(write(current, make_event()), "webhook-signature") + " " +
                  header(write(previous, make_event()), "webhook-signature"));
    EXPECT_EQ(header(both, "X-DocMap-Signature"), header(write(current, make_event()), "X-DocMap-Signature"));
    EXPECT_EQ(write(rotating, make_event(), false), write(current, make_event()));
    EXPECT_EQ(write(current, make_event(), true), write(current, make_event()));
}

TEST(RequestHead, ForwardsAValidTraceContext) {
    const RequestHead head(make_webhook());
    const std::string out = write(head, make_event(traceparent, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    EXPECT_EQ(header(out, "traceparent"), traceparent);
    EXPECT_EQ(header(out, "tracestate"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    EXPECT_EQ(header(write(head, make_event(traceparent)), "tracestate"), "<none>");
}

TEST(RequestHead, LeavesABrokenTraceContextOut) {
    const RequestHead head(make_webhook());
    const std::string plain = write(head, make_event());
    const std::string injection = "x\r\nX-Injected: 1";
    EXPECT_EQ(write(head, make_event("00-abc", "a=b")), plain);
    EXPECT_EQ(write(head, make_event("", "a=b")), plain);
    EXPECT_EQ(write(head, make_event(injection, injection)), plain);
    EXPECT_EQ(write(head, make_event(traceparent, injection)), write(head, make_event(traceparent)));
}

TEST(RequestHead, KnowsAValidTraceparent) {
    const std::string valid(traceparent);
    EXPECT_TRUE(is_valid_traceparent(valid));
    EXPECT_TRUE(is_valid_traceparent("cc" + valid.substr(2)));
    EXPECT_FALSE(is_valid_traceparent("ff" + valid.substr(2)));
    EXPECT_FALSE(is_valid_traceparent(""));
    EXPECT_FALSE(is_valid_traceparent(valid.substr(1)));
    EXPECT_FALSE(is_valid_traceparent(valid + "-00"));
    EXPECT_FALSE(is_valid_traceparent("00-" + std::string(32, '0') + valid.substr(35)));
    EXPECT_FALSE(is_valid_traceparent(valid.substr(0, 36) + std::string(16, '0') + "-01"));
    // Every position takes some characters only: none of these anywhere.
    for (std::size_t position = 0; position < valid.size(); ++position) {
        for (const char bad : {'A', 'F', 'g', ' ', '\r', '\n', '\0', '\x7f', '_'}) {
            std::string broken = valid;
            broken[position] = bad;
            EXPECT_FALSE(is_valid_traceparent(broken)) << position << ' ' << bad;
        }
    }
}

TEST(RequestHead, KnowsAValidTracestate) {
    EXPECT_TRUE(is_valid_tracestate("a=b"));
    EXPECT_TRUE(is_valid_tracestate("a=b, c=d"));
    EXPECT_TRUE(is_valid_tracestate(std::string(512, 'a')));
    EXPECT_FALSE(is_valid_tracestate(std::string(513, 'a')));
    EXPECT_FALSE(is_valid_tracestate(""));
    for (const char bad : {'\r', '\n', '\0', '\t', '\x7f', '\x1f', '\x80', '\xff'})
        EXPECT_FALSE(is_valid_tracestate(std::string("a=b") + bad));
}

TEST(RequestHead, RefusesAnAddressThatCouldInjectHeaders) {
    for (const std::string& target :
         {std::string(), std::string("x"), std::string("/a b"), std::string("/a\r\nb: c"),
          std::string("/a\n"), std::string("/\0", 2), std::string("/\xc3\xa9")}) {
        Webhook webhook = make_webhook();
        webhook.parsed_url.target = target;
        EXPECT_THROW(RequestHead{webhook}, std::invalid_argument) << target;
    }
    for (const std::string& host :
         {std::string(), std::string("a b"), std::string("a\r\nb: c"), std::string("\x7f")}) {
        Webhook webhook = make_webhook();
        webhook.parsed_url.host_header = host;
        EXPECT_THROW(RequestHead{webhook}, std::invalid_argument) << host;
    }
}

TEST(RequestHead, RefusesAMalformedSecret) {
    Webhook webhook = make_webhook();
    webhook.previous_secret = SigningSecret{"short"};
    EXPECT_THROW(RequestHead{webhook}, std::invalid_argument);
}

} // namespace
} // namespace docmap::core
