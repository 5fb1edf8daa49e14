#include "net/tls_sessions.hpp"

#include <utility>

namespace docmap::net {

void TlsSessions::put(const core::Origin& origin, SslSessionPtr session) {
    const auto found = by_origin_.find(origin);
    if (found == by_origin_.end()) {
        entries_.push_front({origin, {}});
        by_origin_.emplace(origin, entries_.begin());
    } else {
        entries_.splice(entries_.begin(), entries_, found->second);
    }
    std::vector<SslSessionPtr>& sessions = entries_.front().sessions;
    if (sessions.size() == max_per_origin_) sessions.erase(sessions.begin());
    sessions.push_back(std::move(session));

    if (entries_.size() > max_origins_) {
        by_origin_.erase(entries_.back().origin);
        entries_.pop_back();
    }
}

SslSessionPtr TlsSessions::take(const core::Origin& origin) {
    const auto found = by_origin_.find(origin);
    if (found == by_origin_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    std::vector<SslSessionPtr>& sessions = found->second->sessions;

    SSL_SESSION* const newest = sessions.back().get();
    if (SSL_SESSION_get_protocol_version(newest) < TLS1_3_VERSION) {
        SSL_SESSION_up_ref(newest);
        return SslSessionPtr(newest);
    }
    SslSessionPtr taken = std::move(sessions.back());
    sessions.pop_back();
    if (sessions.empty()) {
        entries_.erase(found->second);
        by_origin_.erase(found);
    }
    return taken;
}

} // namespace docmap::net
