// The id of a webhook with its hash, computed once: every delivery needs it several times, and with many
// webhooks the characters are rarely in the processor's caches. An immutable value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace docmap::core {

class WebhookId {
  public:
    WebhookId() : WebhookId(std::string()) {}
    explicit WebhookId(std::string text) : hash_(hash_of(text)), text_(std::move(text)) {}

    /// XXH3, 128 bits: enough to stand for the id, as ids are not chosen by those whom a collision would
    /// serve.
    struct Hash {
        std::uint64_t high;
        std::uint64_t low;
        friend bool operator==(const Hash&, const Hash&) = default;
    };

    /// Half of a Hash, for tables.
    struct LowHalf {
        std::uint64_t operator()(const Hash& hash) const { return hash.low; }
    };

    const std::string& text() const { return text_; }
    const Hash& hash() const { return hash_; }

    /// The hash of an id with these characters.
    static Hash hash_of(std::string_view text);

    friend bool operator==(const WebhookId& left, const WebhookId& right) {
        return left.hash_ == right.hash_ && left.text_ == right.text_;
    }
    friend bool operator==(const WebhookId& id, std::string_view text) { return id.text_ == text; }

  private:
    Hash hash_; ///< first: it shares a cache line with what precedes the id in a webhook
    std::string text_;
};

} // namespace docmap::core
