// Signatures of requests, made with one signing secret.
// A Signer keeps its HMAC contexts, so that a signature costs no key setup. It lives on one thread, owned by
// the RequestHead of its endpoint.
#pragma once

#include "core/webhook.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace docmap::core {

class Signer {
  public:
    /// `sha256=` and 64 hex digits.
    static constexpr std::size_t docmap_size = 7 + 64;
    /// `v1,` and 44 characters of base64.
    static constexpr std::size_t standard_size = 3 + 44;

    /// Throws std::invalid_argument where the secret is not 64 hex characters, std::runtime_error where
    /// OpenSSL has no HMAC-SHA256. Keeps no copy of the secret outside OpenSSL.
    explicit Signer(const SigningSecret& secret);

    /// The value of `X-DocMap-Signature`. Key: the secret's characters. Message: the body.
    void write_docmap(std::string_view body, std::span<char, docmap_size> out);

    /// One signature for `webhook-signature` (Standard Webhooks). Key: the 48 bytes that the secret stands
    /// for in base64. Message: `id.timestamp.body`; `timestamp` in Unix seconds.
    void write_standard(std::string_view id, std::string_view timestamp, std::string_view body,
                        std::span<char, standard_size> out);

  private:
    struct Free {
        void operator()(EVP_MAC_CTX* context) const;
    };
    using Context = std::unique_ptr<EVP_MAC_CTX, Free>;

    static Context make_context(std::span<const unsigned char> key);

    Context docmap_;
    Context standard_;
};

} // namespace docmap::core
