#include "core/hmac_engine.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace docmap::core {
namespace {

std::span<const unsigned char> bytes_of(std::string_view text) {
    return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

/// OpenSSL's one-shot HMAC, as a second opinion.
HmacDigest expected(const std::string& key, const std::string& message) {
    HmacDigest digest;
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(message).data(), message.size(),
         digest.data(), &size);
    return digest;
}

std::string random_text(std::mt19937& random, std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text)
        c = static_cast<char>(random());
    return text;
}

/// A way to compute, of those that this machine may have.
struct Tested {
    const char* name;
    HmacWays ways; ///< none: OpenSSL
};

/// Runs for each way.
class HmacSha256Test : public testing::TestWithParam<Tested> {
  protected:
    void SetUp() override {
        const HmacWays wanted = GetParam().ways;
        const HmacWays here = hmac_ways();
        if ((wanted.sha && !here.sha) || (wanted.avx2 && !here.avx2) || (wanted.avx512 && !here.avx512))
            GTEST_SKIP() << "this processor, or this build, has no such way";
        hmac_ =
            std::make_unique<HmacSha256>(wanted.any() ? make_multi_buffer_hmac(wanted) : make_openssl_hmac());
    }

    void add(const std::string& key, std::string message) {
        keys_.emplace_back(bytes_of(key));
        expected_.push_back(expected(key, message));
        messages_.push_back(std::move(message));
    }

    void compute_and_compare() {
        std::vector<HmacDigest> digests(messages_.size());
        std::vector<HmacJob> jobs;
        for (std::size_t i = 0; i < messages_.size(); ++i)
            jobs.push_back({&keys_[i], {}, messages_[i], &digests[i]});
        hmac_->compute(jobs);
        for (std::size_t i = 0; i < messages_.size(); ++i)
            EXPECT_EQ(digests[i], expected_[i])
                << "message " << i << " of " << messages_.size() << ", " << messages_[i].size() << " bytes";
        keys_.clear();
        messages_.clear();
        expected_.clear();
    }

    /// One for the whole test: what was computed before must leave nothing behind.
    std::unique_ptr<HmacSha256> hmac_;

  private:
    std::deque<HmacKey> keys_;
    std::vector<std::string> messages_;
    std::vector<HmacDigest> expected_;
};

TEST_P(HmacSha256Test, GivesAPublishedVector) { // RFC 4231, section 4.3
    const HmacKey key(bytes_of("Jefe"));
    HmacDigest digest;
    const HmacJob job{&key, {}, "what do ya want for nothing?", &digest};
    hmac_->compute({&job, 1});
    EXPECT_EQ(digest, (HmacDigest{0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                  0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                  0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43}));
}

TEST_P(HmacSha256Test, AgreesForMessagesOfAllSizes) {
    std::mt19937 random(1);
    for (std::size_t size = 1; size <= 300; ++size) {
        add(random_text(random, 64), random_text(random, size));
        compute_and_compare();
        for (std::size_t lane = 0; lane < HmacSha256::width; ++lane)
            add(random_text(random, 64), random_text(random, size));
        compute_and_compare();
    }
}

TEST_P(HmacSha256Test, AgreesForKeysOfAllSizes) {
    std::mt19937 random(2);
    for (std::size_t size = 1; size <= HmacKey::max_size; ++size)
        add(random_text(random, size), random_text(random, 100));
    compute_and_compare();
}

TEST_P(HmacSha256Test, AgreesForBatchesOfAllSizes) {
    std::mt19937 random(3);
    for (std::size_t count = 1; count <= 3 * HmacSha256::width; ++count) {
        for (std::size_t i = 0; i < count; ++i)
            add(random_text(random, 48), random_text(random, 1 + random() % 2000));
        compute_and_compare();
    }
}

TEST_P(HmacSha256Test, AgreesForLongMessagesAmongShortOnes) {
    std::mt19937 random(4);
    for (std::size_t i = 0; i < 5 * HmacSha256::width; ++i)
        add(random_text(random, 64), random_text(random, i % 2 == 0 ? 8190 + i % 5 : 100));
    add(random_text(random, 64), random_text(random, 1 << 20));
    compute_and_compare();
}

TEST_P(HmacSha256Test, OneKeyCanSignMany) {
    const std::string key(64, 'k');
    const HmacKey prepared(bytes_of(key));
    std::vector<HmacDigest> digests(20);
    std::vector<HmacJob> jobs;
    const std::string message(1000, 'm');
    for (std::size_t i = 0; i < digests.size(); ++i)
        jobs.push_back({&prepared, {}, std::string_view(message).substr(i), &digests[i]});
    hmac_->compute(jobs);
    for (std::size_t i = 0; i < digests.size(); ++i)
        EXPECT_EQ(digests[i], expected(key, message.substr(i)));
}

TEST_P(HmacSha256Test, AMessageMayBeInTwoPieces) {
    const std::string key(64, 'k');
    const HmacKey prepared(bytes_of(key));
    const std::string message(20000, 'm');
    for (const std::size_t size : {std::size_t{10}, message.size()}) {
        const std::string_view whole = std::string_view(message).substr(0, size);
        std::vector<HmacDigest> digests(2);
        const std::vector<HmacJob> jobs = {{&prepared, whole.substr(0, 7), whole.substr(7), &digests[0]},
                                           {&prepared, {}, whole, &digests[1]}};
        hmac_->compute(jobs);
        EXPECT_EQ(digests[0], expected(key, std::string(whole)));
        EXPECT_EQ(digests[1], digests[0]);
    }
}

TEST_P(HmacSha256Test, NothingToComputeIsNoError) {
    hmac_->compute({});
}

INSTANTIATE_TEST_SUITE_P(Ways, HmacSha256Test,
                         testing::Values(Tested{"OpenSsl", {}}, Tested{"Sha", {.sha = true}},
                                         Tested{"Avx2", {.avx2 = true}}, Tested{"Avx512", {.avx512 = true}},
                                         Tested{"ShaAndAvx512", {.sha = true, .avx512 = true}},
                                         Tested{"Avx2AndAvx512", {.avx2 = true, .avx512 = true}}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(HmacSha256, TakesTheFastestWayByItself) {
    const HmacKey key(bytes_of("Jefe"));
    std::vector<HmacDigest> digests(40);
    std::vector<HmacJob> jobs;
    jobs.reserve(digests.size());
    for (HmacDigest& digest : digests)
        jobs.push_back({&key, {}, "what do ya want for nothing?", &digest});
    HmacSha256().compute(jobs);
    for (const HmacDigest& digest : digests)
        EXPECT_EQ(digest, expected("Jefe", "what do ya want for nothing?"));
}

} // namespace
} // namespace docmap::core
