#include "core/hmac_sha256.hpp"

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

/// Runs for each library that works on this machine.
class HmacSha256Test : public testing::TestWithParam<HmacLibrary> {
  protected:
    void SetUp() override {
        if (GetParam() == HmacLibrary::multi_buffer && hmac_library() != HmacLibrary::multi_buffer)
            GTEST_SKIP() << "the multi-buffer library is not built in or cannot use this processor";
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
            jobs.push_back({&keys_[i], messages_[i], &digests[i]});
        hmac().compute(jobs);
        for (std::size_t i = 0; i < messages_.size(); ++i)
            EXPECT_EQ(digests[i], expected_[i])
                << "message " << i << " of " << messages_.size() << ", " << messages_[i].size() << " bytes";
        keys_.clear();
        messages_.clear();
        expected_.clear();
    }

  private:
    /// One for the whole test: what was computed before must leave nothing behind.
    HmacSha256& hmac() {
        if (!hmac_) hmac_ = std::make_unique<HmacSha256>(GetParam());
        return *hmac_;
    }

    std::unique_ptr<HmacSha256> hmac_;
    std::deque<HmacKey> keys_;
    std::vector<std::string> messages_;
    std::vector<HmacDigest> expected_;
};

TEST_P(HmacSha256Test, GivesAPublishedVector) { // RFC 4231, section 4.3
    const HmacKey key(bytes_of("Jefe"));
    HmacDigest digest;
    const HmacJob job{&key, "what do ya want for nothing?", &digest};
    HmacSha256(GetParam()).compute({&job, 1});
    EXPECT_EQ(digest, (HmacDigest{0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                  0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                  0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43}));
}

TEST_P(HmacSha256Test, AgreesForMessagesOfAllSizes) {
    std::mt19937 random(1);
    for (std::size_t size = 1; size <= 300; ++size) {
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
        jobs.push_back({&prepared, std::string_view(message).substr(i), &digests[i]});
    HmacSha256(GetParam()).compute(jobs);
    for (std::size_t i = 0; i < digests.size(); ++i)
        EXPECT_EQ(digests[i], expected(key, message.substr(i)));
}

TEST_P(HmacSha256Test, NothingToComputeIsNoError) {
    HmacSha256(GetParam()).compute({});
}

INSTANTIATE_TEST_SUITE_P(Libraries, HmacSha256Test,
                         testing::Values(HmacLibrary::multi_buffer, HmacLibrary::openssl),
                         [](const auto& tested) {
                             return tested.param == HmacLibrary::openssl ? "OpenSsl" : "MultiBuffer";
                         });

TEST(HmacLibrary, OnX86TheMultiBufferLibraryIsUsed) {
#ifdef __x86_64__
    EXPECT_EQ(hmac_library(), HmacLibrary::multi_buffer);
#else
    EXPECT_EQ(hmac_library(), HmacLibrary::openssl);
#endif
}

} // namespace
} // namespace docmap::core
