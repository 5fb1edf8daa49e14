// Signing secrets as they are stored: sealed with AES-256-GCM (NIST SP 800-38D) under the master key.
// Immutable after construction; any thread. Wipes its copy of the key at the end.
#pragma once

#include "base/error.hpp"

#include <array>
#include <string>
#include <string_view>

namespace docmap::core {

class SecretBox {
  public:
    using Key = std::array<unsigned char, 32>;
    using Nonce = std::array<unsigned char, 12>;

    explicit SecretBox(const Key& master_key) : key_(master_key) {}
    ~SecretBox();
    SecretBox(const SecretBox&) = delete;
    SecretBox& operator=(const SecretBox&) = delete;

    /// Bytes to store: version, nonce, ciphertext, tag. They open only together with the same `webhook_id`,
    /// so that a secret cannot be moved to another row. `nonce` must be random and never used twice with one
    /// key.
    std::string seal(std::string_view secret, std::string_view webhook_id, const Nonce& nonce) const;

    /// The secret behind stored bytes. Fails on another key, another webhook, and on bytes that were changed.
    base::Result<std::string> open(std::string_view sealed, std::string_view webhook_id) const;

  private:
    Key key_;
};

} // namespace docmap::core
