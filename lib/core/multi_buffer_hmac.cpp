// HMAC-SHA256 by Intel's Multi-Buffer library (libipsec-mb), which Debian has for x86-64 alone.
#include "base/invariant.hpp"
#include "core/hmac_engine.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#ifdef DOCMAP_HAS_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

namespace docmap::core {

#ifdef DOCMAP_HAS_IPSEC_MB

namespace {

constexpr unsigned char inner_pad = 0x36;
constexpr unsigned char outer_pad = 0x5c;
constexpr std::size_t state_size = HmacKey::max_size / 2;

/// From so many messages on the wide way is the faster one: in one go it computes up to HmacSha256::width.
constexpr std::uint32_t wide_from = 12;

/// Longer ones would keep the other lanes waiting. The library itself takes at most 16,382 bytes.
constexpr std::size_t longest_message = 8192;

struct FreeManager {
    void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};
using Manager = std::unique_ptr<IMB_MGR, FreeManager>;

/// The processor's features, as bits; 0 where there is no memory.
std::uint64_t features() {
    const Manager manager(alloc_mb_mgr(0));
    return manager ? manager->features : 0;
}

bool has(std::uint64_t wanted) {
    static const std::uint64_t found = features();
    return (found & wanted) == wanted;
}

Manager make_manager(void (*init)(IMB_MGR*)) {
    Manager manager(alloc_mb_mgr(0));
    if (manager) init(manager.get());
    if (!manager || imb_get_errno(manager.get()) != 0)
        throw std::runtime_error("libipsec-mb could not be initialized");
    return manager;
}

/// Fast for few messages: two lanes of the processor's own SHA instructions where it has them.
Manager make_narrow() {
    const bool wider_without_instructions = !has(IMB_FEATURE_SHANI) && has(IMB_CPUFLAGS_AVX2);
    return make_manager(wider_without_instructions ? init_mb_mgr_avx2 : init_mb_mgr_sse);
}

/// Fast for many: sixteen lanes of AVX-512. Null where the processor has none.
Manager make_wide() {
    return has(IMB_CPUFLAGS_AVX512) ? make_manager(init_mb_mgr_avx512) : nullptr;
}

class MultiBufferHmac final : public HmacSha256::Engine {
  public:
    explicit MultiBufferHmac(std::unique_ptr<HmacSha256::Engine> one_by_one)
        : narrow_(make_narrow()), wide_(make_wide()), one_by_one_(std::move(one_by_one)) {}

    void compute(std::span<const HmacJob> jobs) override {
        for (const HmacJob& job : jobs) {
            if (job.message.size() > longest_message) {
                one_by_one_->compute({&job, 1});
                continue;
            }
            add(job);
            if (gathered_ == gathered_jobs_.size()) run();
        }
        run();
    }

  private:
    void add(const HmacJob& from) {
        IMB_JOB& job = gathered_jobs_[gathered_++];
        const unsigned char* const states = from.key->states().data();
        job.src = reinterpret_cast<const unsigned char*>(from.message.data());
        job.msg_len_to_hash_in_bytes = from.message.size();
        job.auth_tag_output = from.digest->data();
        job.auth_tag_output_len_in_bytes = from.digest->size();
        job.u.HMAC._hashed_auth_key_xor_ipad = states;
        job.u.HMAC._hashed_auth_key_xor_opad = states + state_size;
    }

    void run() {
        const std::uint32_t count = std::exchange(gathered_, 0U);
        if (count == 0) return;
        IMB_MGR& manager = wide_ && count >= wide_from ? *wide_ : *narrow_;
        if (IMB_SUBMIT_HASH_BURST(&manager, gathered_jobs_.data(), count, IMB_AUTH_HMAC_SHA_256) != count)
            throw std::runtime_error("libipsec-mb could not compute an HMAC-SHA256: " +
                                     std::string(imb_get_strerror(imb_get_errno(&manager))));
    }

    Manager narrow_;
    Manager wide_; ///< null: the processor has only one way
    std::unique_ptr<HmacSha256::Engine> one_by_one_;
    std::array<IMB_JOB, HmacSha256::width> gathered_jobs_{};
    std::uint32_t gathered_ = 0;
};

} // namespace

bool has_multi_buffer_hmac() {
    return has(IMB_CPUFLAGS_SSE);
}

std::unique_ptr<HmacSha256::Engine> make_multi_buffer_hmac(std::unique_ptr<HmacSha256::Engine> one_by_one) {
    return std::make_unique<MultiBufferHmac>(std::move(one_by_one));
}

void write_states(std::span<const unsigned char, HmacKey::max_size> padded_key,
                  std::span<unsigned char, HmacKey::max_size> states) {
    static const Manager manager = make_narrow(); // hashing one block keeps nothing in it
    std::array<unsigned char, HmacKey::max_size> block;
    const auto hash_block = [&](unsigned char pad, unsigned char* state) {
        std::transform(padded_key.begin(), padded_key.end(), block.begin(),
                       [pad](unsigned char byte) { return static_cast<unsigned char>(byte ^ pad); });
        IMB_SHA256_ONE_BLOCK(manager.get(), block.data(), state);
    };
    hash_block(inner_pad, states.data());
    hash_block(outer_pad, states.data() + state_size);
    OPENSSL_cleanse(block.data(), block.size());
}

#else

bool has_multi_buffer_hmac() {
    return false;
}

std::unique_ptr<HmacSha256::Engine> make_multi_buffer_hmac(std::unique_ptr<HmacSha256::Engine>) {
    base::require(false, "a library that was not built in is not asked for");
    return nullptr;
}

void write_states(std::span<const unsigned char, HmacKey::max_size>,
                  std::span<unsigned char, HmacKey::max_size>) {
    base::require(false, "a library that was not built in is not asked for");
}

#endif

} // namespace docmap::core
