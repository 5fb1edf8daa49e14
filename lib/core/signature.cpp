#include "core/signature.hpp"

#include "base/invariant.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace docmap::core {
namespace {

/// Joined messages beyond it fill a batch: the processor's caches hold no more.
constexpr std::size_t full_text = 64UL * 1024;

/// More memory than that is given back after a batch with a long body.
constexpr std::size_t kept_text = 4 * full_text;

constexpr std::size_t standard_key_size = 48;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::span<const unsigned char> docmap_key(const SigningSecret& secret) {
    const std::string& text = secret.text;
    if (text.size() != HmacKey::max_size || !std::all_of(text.begin(), text.end(), is_hex_digit))
        throw std::invalid_argument("a signing secret must be 64 hexadecimal characters");
    return {bytes_of(text), text.size()};
}

HmacKey standard_key(const SigningSecret& secret) {
    struct Wiped {
        std::array<unsigned char, standard_key_size> bytes;
        ~Wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    } key;
    const std::string& text = secret.text;
    const int decoded = EVP_DecodeBlock(key.bytes.data(), bytes_of(text), static_cast<int>(text.size()));
    base::require(decoded == static_cast<int>(key.bytes.size()), "hexadecimal digits are base64 as well");
    return HmacKey(key.bytes);
}

void write_docmap(const HmacDigest& digest, char* out) {
    static constexpr char hex[] = "0123456789abcdef";
    static constexpr std::string_view scheme = "sha256=";
    out = std::copy(scheme.begin(), scheme.end(), out);
    for (const unsigned char byte : digest) {
        *out++ = hex[byte >> 4U];
        *out++ = hex[byte & 15U];
    }
}

void write_standard(const HmacDigest& digest, char* out) {
    static constexpr std::string_view scheme = "v1,";
    // EVP_EncodeBlock ends its text with a zero byte, for which `out` has no room.
    std::array<unsigned char, SignatureBatch::standard_size - scheme.size() + 1> base64;
    EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
    out = std::copy(scheme.begin(), scheme.end(), out);
    std::memcpy(out, base64.data(), base64.size() - 1);
}

} // namespace

SigningKeys::SigningKeys(const SigningSecret& secret)
    : docmap_(docmap_key(secret)), standard_(standard_key(secret)) {}

void SignatureBatch::add_docmap(const SigningKeys& keys, std::string_view body,
                                std::span<char, docmap_size> out) {
    signatures_.push_back({Form::docmap, out.data()});
    jobs_.push_back({&keys.docmap(), body, nullptr});
}

void SignatureBatch::add_standard(const SigningKeys& keys, std::string_view id, std::string_view timestamp,
                                  std::string_view body, std::span<char, standard_size> out) {
    const std::size_t start = text_.size();
    text_.append(id).append(1, '.').append(timestamp).append(1, '.').append(body);
    signatures_.push_back({Form::standard, out.data(), start});
    // Its text may still move: where that is gets known in sign().
    jobs_.push_back({&keys.standard(), {text_.data(), text_.size() - start}, nullptr});
}

bool SignatureBatch::is_full() const {
    return jobs_.size() >= HmacSha256::width || text_.size() >= full_text;
}

void SignatureBatch::sign() {
    digests_.resize(jobs_.size());
    for (std::size_t index = 0; index < jobs_.size(); ++index) {
        HmacJob& job = jobs_[index];
        job.digest = &digests_[index];
        if (signatures_[index].form == Form::standard)
            job.message = {text_.data() + signatures_[index].text_start, job.message.size()};
    }
    hmac_.compute(jobs_);
    for (std::size_t index = 0; index < jobs_.size(); ++index) {
        const auto write = signatures_[index].form == Form::docmap ? write_docmap : write_standard;
        write(digests_[index], signatures_[index].out);
    }
    signatures_.clear();
    jobs_.clear();
    text_.clear();
    if (text_.capacity() > kept_text) text_.shrink_to_fit();
}

} // namespace docmap::core
