#include "base/hex.hpp"
#include "core/secret_box.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace docmap::core {
namespace {

std::string bytes(std::string_view hex) {
    const auto decoded = base::from_hex(hex).value();
    return {decoded.begin(), decoded.end()};
}

template<std::size_t size>
std::array<unsigned char, size> array_of(std::string_view hex) {
    const auto decoded = base::from_hex(hex).value();
    std::array<unsigned char, size> result{};
    std::ranges::copy(decoded, result.begin());
    return result;
}

const SecretBox::Key key = array_of<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
const SecretBox::Nonce nonce = array_of<12>("cafebabefacedbaddecaf888");

// Test case 16 of the GCM specification (McGrew and Viega), behind version byte and nonce.
TEST(SecretBox, MatchesTheSpecificationsVector) {
    const std::string secret = bytes("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    const std::string associated = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const std::string sealed = bytes("01cafebabefacedbaddecaf888"
                                     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                                     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                                     "76fc6ece0f4e1768cddf8853bb2d551b");
    const SecretBox box(key);
    EXPECT_EQ(box.seal(secret, associated, nonce), sealed);
    EXPECT_EQ(box.open(sealed, associated).value(), secret);
}

TEST(SecretBox, OpensWhatItSealed) {
    const SecretBox box(key);
    for (const std::string& secret : {std::string(64, 'a'), std::string()}) {
        const std::string sealed = box.seal(secret, "webhook-abc123def456", nonce);
        EXPECT_EQ(sealed.size(), secret.size() + 29);
        EXPECT_EQ(box.open(sealed, "webhook-abc123def456").value(), secret);
    }
}

TEST(SecretBox, RefusesEveryChangedByte) {
    const SecretBox box(key);
    const std::string sealed = box.seal(std::string(64, 'a'), "webhook-abc123def456", nonce);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(box.open(changed, "webhook-abc123def456")) << "byte " << i;
    }
}

TEST(SecretBox, RefusesAnotherWebhookAndAnotherKey) {
    const std::string sealed = SecretBox(key).seal("secret", "webhook-abc123def456", nonce);
    EXPECT_FALSE(SecretBox(key).open(sealed, "webhook-abc123def457"));

    SecretBox::Key other_key = key;
    other_key.back() ^= 1;
    const auto opened = SecretBox(other_key).open(sealed, "webhook-abc123def456");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().message, "the stored signing secret of webhook-abc123def456 cannot be "
                                      "decrypted: the master key is not the one "
                                      "it was encrypted with, or the stored bytes were changed");
}

TEST(SecretBox, RefusesShortBytesAndUnknownVersions) {
    const SecretBox box(key);
    const std::string sealed = box.seal("", "webhook-abc123def456", nonce);
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(box.open(sealed.substr(0, size), "webhook-abc123def456")) << size;

    std::string newer = sealed;
    newer.front() = 2;
    EXPECT_EQ(
        box.open(newer, "webhook-abc123def456").error().message,
        "the stored signing secret of webhook-abc123def456 cannot be decrypted: it was stored by a newer "
        "version of docmap-webhookd");
}

} // namespace
} // namespace docmap::core
