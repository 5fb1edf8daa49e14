// Signatures of requests, made for many requests at once.
#pragma once

#include "core/hmac_sha256.hpp"
#include "core/webhook.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::core {

/// The keys of one signing secret. Any thread.
class SigningKeys {
  public:
    /// Throws std::invalid_argument where the secret is not 64 hex characters.
    explicit SigningKeys(const SigningSecret& secret);

    /// Of `X-DocMap-Signature`: the secret's characters.
    const HmacKey& docmap() const { return docmap_; }

    /// Of `webhook-signature` (Standard Webhooks): the 48 bytes that the secret stands for in base64.
    const HmacKey& standard() const { return standard_; }

  private:
    HmacKey docmap_;
    HmacKey standard_;
};

/// Signatures to be written, computed together. Lives on one thread.
class SignatureBatch {
  public:
    /// `sha256=` and 64 hex digits.
    static constexpr std::size_t docmap_size = 7 + 64;
    /// `v1,` and 44 characters of base64.
    static constexpr std::size_t standard_size = 3 + 44;

    /// The value of `X-DocMap-Signature`, which signs the body. Keys, body and `out` stay in place until
    /// sign().
    void add_docmap(const SigningKeys& keys, std::string_view body, std::span<char, docmap_size> out);

    /// One signature for `webhook-signature`, which signs `id.timestamp.body`; `timestamp` in Unix seconds.
    /// Keys, body and `out` stay in place until sign().
    void add_standard(const SigningKeys& keys, std::string_view id, std::string_view timestamp,
                      std::string_view body, std::span<char, standard_size> out);

    /// More would make it no faster, or take much memory.
    bool is_full() const;

    /// Writes all that was added; then it is empty. Throws std::runtime_error where the library fails.
    void sign();

  private:
    enum class Form { docmap, standard };

    struct Signature {
        Form form;
        char* out;
        HmacJob job; ///< lacks its digest, and the piece of its message that is in text_, which still moves
        std::size_t text_start = 0;
        std::size_t text_size = 0;
    };

    HmacSha256 hmac_;
    std::vector<Signature> signatures_;
    std::string text_; ///< messages that had to be joined, or what they begin with, one after the other
    std::vector<HmacJob> jobs_;       ///< one per signature, while they are computed
    std::vector<HmacDigest> digests_; ///< the same
};

} // namespace docmap::core
