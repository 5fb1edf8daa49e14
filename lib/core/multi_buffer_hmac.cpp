// HMAC-SHA256 by Intel's Multi-Buffer library (libipsec-mb), which Debian has for x86-64 alone.
#include "base/invariant.hpp"
#include "core/hmac_engine.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#ifdef DOCMAP_HAS_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

namespace docmap::core {

#ifdef DOCMAP_HAS_IPSEC_MB

namespace {

constexpr unsigned char inner_pad = 0x36;
constexpr unsigned char outer_pad = 0x5c;
constexpr std::size_t state_size = HmacKey::max_size / 2;

struct FreeManager {
    void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};
using Manager = std::unique_ptr<IMB_MGR, FreeManager>;

Manager make_manager(std::uint64_t flags, void (*init)(IMB_MGR*)) {
    Manager manager(alloc_mb_mgr(flags));
    if (manager) init(manager.get());
    if (!manager || imb_get_errno(manager.get()) != 0)
        throw std::runtime_error("libipsec-mb could not be initialized");
    return manager;
}

/// The library asks the processor alone; the compiler's question is also whether the system saves the
/// registers.
HmacWays find_ways() {
    const Manager manager(alloc_mb_mgr(0));
    const auto has = [&](std::uint64_t features) { return (manager->features & features) == features; };
    if (!manager || !has(IMB_CPUFLAGS_SSE)) return {};
    const bool avx2 = has(IMB_CPUFLAGS_AVX2) && __builtin_cpu_supports("avx2");
    const bool avx512 = has(IMB_CPUFLAGS_AVX512) && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return {has(IMB_FEATURE_SHANI), avx2, avx512};
}

class MultiBufferHmac final : public HmacSha256::Engine {
  public:
    /// From how many messages on each way is the fastest was measured with messages of 1 KB
    /// (docs/performance.md).
    explicit MultiBufferHmac(HmacWays ways) : one_by_one_(make_openssl_hmac()) {
        const std::uint64_t flags = ways.sha ? 0 : IMB_FLAG_SHANI_OFF;
        if (ways.avx512) ways_.push_back({ways.sha ? 10U : 2U, make_manager(flags, init_mb_mgr_avx512)});
        if (ways.sha)
            ways_.push_back({1, make_manager(flags, init_mb_mgr_sse)});
        else if (ways.avx2 && !ways.avx512)
            ways_.push_back({3, make_manager(flags, init_mb_mgr_avx2)});
    }

    void compute(std::span<const HmacJob> jobs) override {
        for (const HmacJob& job : jobs) {
            if (!job.prefix.empty() || job.message.size() > HmacSha256::longest_at_once) {
                one_by_one_->compute({&job, 1});
                continue;
            }
            gathered_[count_++] = &job;
            if (count_ == gathered_.size()) run();
        }
        run();
    }

  private:
    struct Way {
        std::size_t from; ///< so many messages
        Manager manager;
    };

    void run() {
        const std::span<const HmacJob* const> jobs(gathered_.data(), std::exchange(count_, 0U));
        if (jobs.empty()) return;
        const std::size_t like = like_equal_ones(jobs);
        const auto way = std::ranges::find_if(ways_, [like](const Way& each) { return like >= each.from; });
        if (way != ways_.end()) return run(*way->manager, jobs);
        for (const HmacJob* job : jobs)
            one_by_one_->compute({job, 1});
    }

    /// All take as long together as the longest: how many of its size there would be.
    static std::size_t like_equal_ones(std::span<const HmacJob* const> jobs) {
        std::size_t all = 0;
        std::size_t longest = 1;
        for (const HmacJob* job : jobs) {
            all += job->message.size();
            longest = std::max(longest, job->message.size());
        }
        return (all + longest / 2) / longest;
    }

    void run(IMB_MGR& manager, std::span<const HmacJob* const> jobs) {
        for (std::size_t index = 0; index < jobs.size(); ++index) {
            const HmacJob& from = *jobs[index];
            IMB_JOB& job = submitted_[index];
            job.src = reinterpret_cast<const unsigned char*>(from.message.data());
            job.msg_len_to_hash_in_bytes = from.message.size();
            job.auth_tag_output = from.digest->data();
            job.auth_tag_output_len_in_bytes = from.digest->size();
            job.u.HMAC._hashed_auth_key_xor_ipad = from.key->states().data();
            job.u.HMAC._hashed_auth_key_xor_opad = from.key->states().data() + state_size;
        }
        const auto count = static_cast<std::uint32_t>(jobs.size());
        if (IMB_SUBMIT_HASH_BURST(&manager, submitted_.data(), count, IMB_AUTH_HMAC_SHA_256) != count)
            throw std::runtime_error("libipsec-mb could not compute an HMAC-SHA256: " +
                                     std::string(imb_get_strerror(imb_get_errno(&manager))));
    }

    std::vector<Way> ways_; ///< those for many messages first
    std::unique_ptr<HmacSha256::Engine> one_by_one_;
    std::array<const HmacJob*, HmacSha256::width> gathered_{};
    std::array<IMB_JOB, HmacSha256::width> submitted_{};
    std::size_t count_ = 0;
};

} // namespace

HmacWays hmac_ways() {
    static const HmacWays ways = find_ways();
    return ways;
}

std::unique_ptr<HmacSha256::Engine> make_multi_buffer_hmac(HmacWays ways) {
    return std::make_unique<MultiBufferHmac>(ways);
}

void write_states(std::span<const unsigned char, HmacKey::max_size> padded_key,
                  std::span<unsigned char, HmacKey::max_size> states) {
    static const Manager manager = make_manager(0, init_mb_mgr_sse); // hashing one block keeps nothing in it
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

HmacWays hmac_ways() {
    return {};
}

std::unique_ptr<HmacSha256::Engine> make_multi_buffer_hmac(HmacWays) {
    base::require(false, "a library that was not built in is not asked for");
    return nullptr;
}

void write_states(std::span<const unsigned char, HmacKey::max_size>,
                  std::span<unsigned char, HmacKey::max_size>) {
    base::require(false, "a library that was not built in is not asked for");
}

#endif

} // namespace docmap::core
