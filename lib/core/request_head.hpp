// The head of the requests to one endpoint: request line and headers, with the signatures.
// Made once per webhook snapshot, which it need not outlive: what never changes is serialized then, the rest
// is added per attempt. Lives on the thread of the endpoint's shard, which owns it.
#pragma once

#include "base/prefetch.hpp"
#include "core/attempt.hpp"
#include "core/signature.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace docmap::core {

class RequestHead {
  public:
    /// Throws std::invalid_argument where target or host could not stand in an HTTP head, or a secret is
    /// malformed.
    explicit RequestHead(const Webhook& webhook);

    /// Writes the whole head, with its closing empty line, for one attempt to send `event.body()`; its
    /// signatures are blank until `signatures` are signed. Head, event and `out` stay in place until then.
    /// `unix_seconds`: when the attempt starts. `previous_secret_active`: during a rotation, the previous
    /// secret, where there is one, adds its signature to `webhook-signature`; `X-DocMap-Signature` always has
    /// the new one's. The record's trace context is forwarded where it is well-formed (W3C Trace Context),
    /// else left out.
    void write(std::string& out, const Event& event, const DeliveryId& id, std::int64_t unix_seconds,
               bool previous_secret_active, SignatureBatch& signatures) const;

    /// Fetches what write() reads first.
    void fetch_ahead() const { base::prefetch(fixed_.data(), fixed_.size()); }

  private:
    std::string fixed_; ///< the head's start, up to the name of its first changing header
    SigningKeys keys_;
    std::unique_ptr<SigningKeys> previous_keys_; ///< null: there is no rotation
};

/// Whether `value` is a `traceparent` that may be forwarded: the 55 characters of version 00, or of a later
/// version that keeps to them.
bool is_valid_traceparent(std::string_view value);

/// Whether `value` can be forwarded as `tracestate`: 1 to 512 printable ASCII characters.
bool is_valid_tracestate(std::string_view value);

} // namespace docmap::core
