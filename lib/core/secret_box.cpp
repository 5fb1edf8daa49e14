#include "core/secret_box.hpp"

#include "base/invariant.hpp"

#include <climits>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace docmap::core {
namespace {

constexpr char version = 1;
constexpr std::size_t nonce_bytes = std::tuple_size_v<SecretBox::Nonce>;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t overhead_bytes = 1 + nonce_bytes + tag_bytes;

struct ContextDeleter {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

/// OpenSSL counts in int.
int length_of(std::string_view text) {
    base::require(text.size() <= INT_MAX, "a secret is shorter than 2 GiB");
    return static_cast<int>(text.size());
}

/// None of these calls fails on any input; only memory can run out.
void expect_success(int result) {
    if (result != 1) throw std::runtime_error("AES-256-GCM failed in OpenSSL");
}

} // namespace

SecretBox::~SecretBox() {
    OPENSSL_cleanse(key_.data(), key_.size());
}

std::string SecretBox::seal(std::string_view secret, std::string_view webhook_id, const Nonce& nonce) const {
    std::string sealed(1, version);
    sealed.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
    sealed.resize(secret.size() + overhead_bytes);
    unsigned char* const ciphertext = bytes_of(sealed) + 1 + nonce_bytes;

    const Context context(EVP_CIPHER_CTX_new());
    int written = 0;
    expect_success(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()));
    expect_success(
        EVP_EncryptUpdate(context.get(), nullptr, &written, bytes_of(webhook_id), length_of(webhook_id)));
    expect_success(
        EVP_EncryptUpdate(context.get(), ciphertext, &written, bytes_of(secret), length_of(secret)));
    expect_success(EVP_EncryptFinal_ex(context.get(), ciphertext + written, &written));
    expect_success(
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, ciphertext + secret.size()));
    return sealed;
}

base::Result<std::string> SecretBox::open(std::string_view sealed, std::string_view webhook_id) const {
    const auto refused = [&](const char* reason) {
        return base::Error{"the stored signing secret of " + std::string(webhook_id) +
                           " cannot be decrypted: " + reason};
    };
    if (sealed.size() < overhead_bytes) return refused("it is too short");
    if (sealed.front() != version) return refused("it was stored by a newer version of docmap-webhookd");

    const std::string_view nonce = sealed.substr(1, nonce_bytes);
    const std::string_view ciphertext = sealed.substr(1 + nonce_bytes, sealed.size() - overhead_bytes);
    std::string tag(sealed.substr(sealed.size() - tag_bytes));

    std::string secret(ciphertext.size(), '\0');
    const Context context(EVP_CIPHER_CTX_new());
    int written = 0;
    expect_success(
        EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes_of(nonce)));
    expect_success(
        EVP_DecryptUpdate(context.get(), nullptr, &written, bytes_of(webhook_id), length_of(webhook_id)));
    expect_success(EVP_DecryptUpdate(context.get(), bytes_of(secret), &written, bytes_of(ciphertext),
                                     length_of(ciphertext)));
    expect_success(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()));
    if (EVP_DecryptFinal_ex(context.get(), bytes_of(secret) + written, &written) != 1)
        return refused(
            "the master key is not the one it was encrypted with, or the stored bytes were changed");
    return base::success(std::move(secret));
}

} // namespace docmap::core
