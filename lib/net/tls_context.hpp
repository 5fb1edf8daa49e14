// What all outgoing TLS connections have in common: trusted authorities, protocol versions, buffers, session
// cache. One per process, since the authorities take milliseconds to load and memory to keep. Immutable, used
// by all threads.
#pragma once

#include "base/error.hpp"
#include "net/openssl_ptr.hpp"

#include <string>

namespace docmap::net {

class TlsContext {
  public:
    /// Trusts the system's authorities and those in `ca_file` (PEM) where it is not empty. The error says
    /// what is wrong with the file.
    static base::Result<TlsContext> create(const std::string& ca_file);

    SSL_CTX* get() const { return context_.get(); }

  private:
    explicit TlsContext(SslContextPtr context) : context_(std::move(context)) {}

    SslContextPtr context_;
};

} // namespace docmap::net
