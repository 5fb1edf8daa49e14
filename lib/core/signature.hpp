// Signatures of requests, made with one signing secret.
// A Signer keeps its keys only; HMAC contexts are kept per thread. A context per key would save setting the
// key up, 0.1 us per signature, but OpenSSL spreads one over a dozen allocations: with many webhooks,
// fetching those from memory costs far more. Lives on one thread, owned by the RequestHead of its endpoint.
#pragma once

#include "core/webhook.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace docmap::core {

class Signer {
  public:
    /// `sha256=` and 64 hex digits.
    static constexpr std::size_t docmap_size = 7 + 64;
    /// `v1,` and 44 characters of base64.
    static constexpr std::size_t standard_size = 3 + 44;

    /// Throws std::invalid_argument where the secret is not 64 hex characters.
    explicit Signer(const SigningSecret& secret);

    /// Wipes the keys.
    ~Signer();

    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;

    /// The value of `X-DocMap-Signature`. Key: the secret's characters. Message: the body. Throws
    /// std::runtime_error where OpenSSL has no HMAC-SHA256.
    void write_docmap(std::string_view body, std::span<char, docmap_size> out) const;

    /// One signature for `webhook-signature` (Standard Webhooks). Key: the 48 bytes that the secret stands
    /// for in base64. Message: `id.timestamp.body`; `timestamp` in Unix seconds.
    void write_standard(std::string_view id, std::string_view timestamp, std::string_view body,
                        std::span<char, standard_size> out) const;

  private:
    std::array<unsigned char, 64> docmap_key_;
    std::array<unsigned char, 48> standard_key_;
};

} // namespace docmap::core
