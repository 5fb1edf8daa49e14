#include "core/request_head.hpp"

#include "base/hex.hpp"
#include "base/version.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <stdexcept>

namespace docmap::core {

namespace {

constexpr std::size_t traceparent_size = 55;
constexpr std::size_t max_tracestate_size = 512;

/// Visible ASCII: neither spaces nor anything that could end a line.
bool is_visible(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_zero(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

std::string serialize_fixed_part(const WebhookUrl& url) {
    if (!is_visible(url.target) || url.target.front() != '/')
        throw std::invalid_argument(
            "a request target must start with / and hold visible ASCII characters only");
    if (!is_visible(url.host_header))
        throw std::invalid_argument("a Host header must hold visible ASCII characters only");
    std::string text = "POST " + url.target + " HTTP/1.1\r\nHost: " + url.host_header;
    text += "\r\nUser-Agent: DocMap-Webhooks/";
    text += base::version;
    text += "\r\nAccept: */*\r\nContent-Type: application/json\r\nX-DocMap-Event: ";
    return text;
}

/// Decimal digits of an integer, on the stack.
class Decimal {
  public:
    template<typename Integer>
    explicit Decimal(Integer value)
        : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr) {}

    std::string_view view() const {
        return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
    }

  private:
    std::array<char, 20> digits_;
    char* end_;
};

/// Appends room for `size` characters, to be filled in later, and returns where it starts.
std::size_t append_blank(std::string& text, std::size_t size) {
    text.append(size, ' ');
    return text.size() - size;
}

template<std::size_t size>
std::span<char, size> span_at(std::string& text, std::size_t start) {
    return std::span<char, size>(text.data() + start, size);
}

void append_trace_context(std::string& out, const Record& record) {
    if (!is_valid_traceparent(record.traceparent())) return;
    out.append("\r\ntraceparent: ").append(record.traceparent());
    if (is_valid_tracestate(record.tracestate())) out.append("\r\ntracestate: ").append(record.tracestate());
}

} // namespace

bool is_valid_traceparent(std::string_view value) {
    if (value.size() != traceparent_size) return false;
    if (value[2] != '-' || value[35] != '-' || value[52] != '-') return false;
    const std::string_view version = value.substr(0, 2);
    const std::string_view trace_id = value.substr(3, 32);
    const std::string_view parent_id = value.substr(36, 16);
    const std::string_view flags = value.substr(53, 2);
    return base::is_lower_hex(version) && version != "ff" && base::is_lower_hex(trace_id) &&
           !is_zero(trace_id) && base::is_lower_hex(parent_id) && !is_zero(parent_id) &&
           base::is_lower_hex(flags);
}

bool is_valid_tracestate(std::string_view value) {
    return !value.empty() && value.size() <= max_tracestate_size &&
           std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

RequestHead::RequestHead(const Webhook& webhook)
    : fixed_(serialize_fixed_part(webhook.parsed_url)), keys_(webhook.secret) {
    if (webhook.previous_secret) previous_keys_ = std::make_unique<SigningKeys>(*webhook.previous_secret);
}

void RequestHead::write(std::string& out, const Event& event, const DeliveryId& id, std::int64_t unix_seconds,
                        bool previous_secret_active, SignatureBatch& signatures) const {
    const std::string_view body = event.body();
    const Decimal seconds(unix_seconds);
    const std::string_view timestamp = seconds.view();
    const bool signs_twice = previous_secret_active && previous_keys_;
    out.assign(fixed_).append(name_of(event.type()));
    out.append("\r\nX-DocMap-Delivery: ").append(view(id));
    out.append("\r\nX-DocMap-Signature: ");
    const std::size_t docmap = append_blank(out, SignatureBatch::docmap_size);
    out.append("\r\nwebhook-id: ").append(event.id());
    out.append("\r\nwebhook-timestamp: ").append(timestamp);
    out.append("\r\nwebhook-signature: ");
    const std::size_t standard = append_blank(out, SignatureBatch::standard_size);
    const std::size_t previous = signs_twice ? append_blank(out, 1 + SignatureBatch::standard_size) + 1 : 0;
    append_trace_context(out, event.record());
    out.append("\r\nContent-Length: ").append(Decimal(body.size()).view()).append("\r\n\r\n");

    signatures.add_docmap(keys_, body, span_at<SignatureBatch::docmap_size>(out, docmap));
    signatures.add_standard(keys_, event.id(), timestamp, body,
                            span_at<SignatureBatch::standard_size>(out, standard));
    if (signs_twice)
        signatures.add_standard(*previous_keys_, event.id(), timestamp, body,
                                span_at<SignatureBatch::standard_size>(out, previous));
}

} // namespace docmap::core
