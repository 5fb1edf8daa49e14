#include "core/hmac_sha256.hpp"

#include "base/invariant.hpp"
#include "core/hmac_engine.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace docmap::core {
namespace {

void check(int result) {
    if (result != 1) throw std::runtime_error("OpenSSL could not compute an HMAC-SHA256");
}

/// Fetched once per process: a fetch takes a lock and costs more than a signature.
EVP_MAC* hmac() {
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    return algorithm;
}

struct FreeContext {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

/// One context for all keys: one per key would save setting the key up, but OpenSSL spreads a context over a
/// dozen allocations, and with many webhooks fetching those from memory costs far more.
class OpenSslHmac final : public HmacSha256::Engine {
  public:
    OpenSslHmac() : context_(EVP_MAC_CTX_new(hmac())) {
        if (!context_) throw std::runtime_error("OpenSSL has no HMAC");
        char digest[] = "SHA256";
        const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                         OSSL_PARAM_construct_end()};
        check(EVP_MAC_CTX_set_params(context_.get(), parameters));
    }

    void compute(std::span<const HmacJob> jobs) override {
        for (const HmacJob& job : jobs) {
            const auto& key = job.key->padded();
            std::size_t size = 0;
            check(EVP_MAC_init(context_.get(), key.data(), key.size(), nullptr));
            for (const std::string_view part : {job.prefix, job.message})
                check(EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(part.data()),
                                     part.size()));
            check(EVP_MAC_final(context_.get(), job.digest->data(), &size, job.digest->size()));
        }
    }

  private:
    std::unique_ptr<EVP_MAC_CTX, FreeContext> context_;
};

} // namespace

std::unique_ptr<HmacSha256::Engine> make_openssl_hmac() {
    return std::make_unique<OpenSslHmac>();
}

HmacKey::HmacKey(std::span<const unsigned char> key) {
    base::require(!key.empty() && key.size() <= max_size, "an HMAC key has 1 to 64 bytes");
    std::copy(key.begin(), key.end(), padded_.begin());
    if (hmac_ways().any()) write_states(padded_, states_);
}

HmacKey::~HmacKey() {
    OPENSSL_cleanse(padded_.data(), padded_.size());
    OPENSSL_cleanse(states_.data(), states_.size());
}

HmacSha256::HmacSha256()
    : HmacSha256(hmac_ways().any() ? make_multi_buffer_hmac(hmac_ways()) : make_openssl_hmac()) {}

HmacSha256::HmacSha256(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

HmacSha256::~HmacSha256() = default;

void HmacSha256::compute(std::span<const HmacJob> jobs) {
    for (const HmacJob& job : jobs)
        base::require(!job.message.empty(), "what is signed is not empty");
    engine_->compute(jobs);
}

} // namespace docmap::core
