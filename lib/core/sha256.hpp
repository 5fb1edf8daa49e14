// SHA-256 in one call. Pure; any thread.
#pragma once

#include <array>
#include <string_view>

namespace docmap::core {

using Sha256Digest = std::array<unsigned char, 32>;

/// The digest of `message`. Throws where OpenSSL has no memory left.
Sha256Digest sha256(std::string_view message);

} // namespace docmap::core
