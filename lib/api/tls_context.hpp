// The certificate and key that the API serves HTTPS with. Read once, at start.
#pragma once

#include "base/error.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace docmap::api {

/// TLS 1.2 and 1.3, HTTP/1.1 only. `certificate_file` holds the chain, leaf first; both files are PEM. The
/// error names the configuration key and the file.
base::Result<std::unique_ptr<boost::asio::ssl::context>> make_tls_context(const std::string& certificate_file,
                                                                          const std::string& key_file);

} // namespace docmap::api
