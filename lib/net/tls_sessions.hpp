// TLS sessions to be resumed, a few per origin, in place of full handshakes that cost three times as much.
// One per shard, on its thread; owned by the transport. The origin unused for longest goes first.
#pragma once

#include "core/webhook.hpp"
#include "net/openssl_ptr.hpp"
#include "net/origin_hash.hpp"

#include <cstddef>
#include <list>
#include <unordered_map>
#include <vector>

namespace docmap::net {

class TlsSessions {
  public:
    /// At most `max_origins` origins, and of each at most `max_per_origin` sessions, the newest.
    TlsSessions(std::size_t max_origins, std::size_t max_per_origin)
        : max_origins_(max_origins), max_per_origin_(max_per_origin) {}

    void put(const core::Origin& origin, SslSessionPtr session);

    /// The newest session, or none. A TLS 1.3 session is handed out once (RFC 8446, appendix C.4).
    SslSessionPtr take(const core::Origin& origin);

    std::size_t origins() const { return entries_.size(); }

  private:
    struct Entry {
        core::Origin origin;
        std::vector<SslSessionPtr> sessions; ///< the newest last
    };

    std::size_t max_origins_;
    std::size_t max_per_origin_;
    std::list<Entry> entries_; ///< the most recently used first
    std::unordered_map<core::Origin, std::list<Entry>::iterator, OriginHash> by_origin_;
};

} // namespace docmap::net
