#include "core/signature.hpp"

#include "base/invariant.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace docmap::core {
namespace {

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
    signatures_.push_back({Form::docmap, out.data(), {&keys.docmap(), {}, body, nullptr}});
}

void SignatureBatch::add_standard(const SigningKeys& keys, std::string_view id, std::string_view timestamp,
                                  std::string_view body, std::span<char, standard_size> out) {
    const std::size_t start = text_.size();
    text_.append(id).append(1, '.').append(timestamp).append(1, '.');
    const bool is_joined = text_.size() - start + body.size() <= HmacSha256::longest_at_once;
    if (is_joined) text_.append(body);
    signatures_.push_back({Form::standard,
                           out.data(),
                           {&keys.standard(), {}, is_joined ? std::string_view() : body, nullptr},
                           start,
                           text_.size() - start});
}

bool SignatureBatch::is_full() const {
    return signatures_.size() >= HmacSha256::width;
}

void SignatureBatch::sign() {
    digests_.resize(signatures_.size());
    jobs_.clear();
    for (const Signature& signature : signatures_) {
        HmacJob& job = jobs_.emplace_back(signature.job);
        const std::string_view text(text_.data() + signature.text_start, signature.text_size);
        (job.message.empty() ? job.message : job.prefix) = text;
        job.digest = &digests_[jobs_.size() - 1];
    }
    hmac_.compute(jobs_);
    for (std::size_t index = 0; index < signatures_.size(); ++index) {
        const auto write = signatures_[index].form == Form::docmap ? write_docmap : write_standard;
        write(digests_[index], signatures_[index].out);
    }
    signatures_.clear();
    text_.clear();
}

} // namespace docmap::core
