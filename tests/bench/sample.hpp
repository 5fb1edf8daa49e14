// The fixed input of the microbenchmarks and of the instruction count: one event of 1 KB, one webhook, and
// the answer that nginx gives.
#pragma once

#include "core/event_decoder.hpp"
#include "core/record.hpp"
#include "core/webhook.hpp"
#include "support/records.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace docmap::bench {

inline constexpr std::size_t body_bytes = 1024;
inline constexpr std::size_t max_event_bytes = 1024 * 1024;

/// An extraction of a usual shape, filled up to 1 KB.
inline const std::string& body() {
    static const std::string text = [] {
        std::string start =
            R"({"id":"evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC","event":"extraction.completed","userId":"user-000042",)"
            R"("extractionId":"extract-xyz789","createdAt":"2025-01-20T14:30:03.512Z","data":{"status":)"
            R"("completed","templateId":"template-7f3a","fileName":"invoice.pdf","extractedData":{"lines":[)";
        for (int line = 0; line < 8; ++line)
            start += R"({"text":"Servers, rack mounted","amount":3,"price":416.50},)";
        const std::string last = R"({"text":"","amount":1,"price":0}]}}})";
        const std::size_t quotes = start.size() + std::string_view(R"({"text":")").size();
        std::string whole = start + last;
        whole.insert(quotes, body_bytes - whole.size(), 'x');
        return whole;
    }();
    return text;
}

/// A record that holds the body.
inline core::RecordPtr record(std::uint64_t sequence) {
    return test::make_record(
        {.value = body(), .offset = static_cast<std::int64_t>(sequence), .sequence = sequence});
}

/// The decoded event of a record.
inline core::EventPtr event(core::EventDecoder& decoder, const core::RecordPtr& from) {
    core::DecodeResult decoded = decoder.decode(from);
    if (!decoded.has_value()) throw std::runtime_error("the sample is no event: " + decoded.error().message);
    return *decoded;
}

/// A webhook with a secret of mixed digits.
inline core::WebhookPtr webhook() {
    core::Webhook made = *test::make_webhook("webhook-a1b2c3d4e5f6", "user-000042");
    made.secret.text = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
    return std::make_shared<const core::Webhook>(std::move(made));
}

/// What nginx answers to `return 200`.
inline constexpr std::string_view response = "HTTP/1.1 200 OK\r\n"
                                             "Server: nginx/1.22.1\r\n"
                                             "Date: Mon, 20 Jan 2025 14:30:03 GMT\r\n"
                                             "Content-Type: application/octet-stream\r\n"
                                             "Content-Length: 0\r\n"
                                             "Connection: keep-alive\r\n\r\n";

} // namespace docmap::bench
