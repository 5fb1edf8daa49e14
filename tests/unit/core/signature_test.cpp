#include "core/signature.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace docmap::core {
namespace {

constexpr std::string_view secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";

std::string docmap_signature(const SigningKeys& keys, std::string_view body) {
    std::array<char, SignatureBatch::docmap_size> out;
    SignatureBatch batch;
    batch.add_docmap(keys, body, out);
    batch.sign();
    return {out.data(), out.size()};
}

std::string standard_signature(const SigningKeys& keys, std::string_view id, std::string_view timestamp,
                               std::string_view body) {
    std::array<char, SignatureBatch::standard_size> out;
    SignatureBatch batch;
    batch.add_standard(keys, id, timestamp, body, out);
    batch.sign();
    return {out.data(), out.size()};
}

/// OpenSSL's one-shot HMAC, as a second opinion.
std::string hmac_hex(const std::string& key, std::string_view message) {
    std::array<unsigned char, 32> digest;
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(), &size);
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += "0123456789abcdef"[byte >> 4U];
        hex += "0123456789abcdef"[byte & 15U];
    }
    return hex;
}

TEST(SignatureBatch, GivesTheContractsTestVector) {
    constexpr std::string_view body =
        R"({"id":"evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC","event":"extraction.completed","userId":"uid_a1b2c3d4e5f6",)"
        R"("extractionId":"extract-xyz789","createdAt":"2025-01-20T14:30:03.512Z",)"
        R"("data":{"status":"completed","fileName":"invoice.pdf"}})";
    static_assert(body.size() == 224);
    const SigningKeys keys({std::string(secret)});
    SignatureBatch batch;
    // Twice: what was signed before must leave nothing behind.
    for (int round = 0; round < 2; ++round) {
        std::array<char, SignatureBatch::docmap_size> docmap;
        std::array<char, SignatureBatch::standard_size> standard;
        batch.add_docmap(keys, body, docmap);
        batch.add_standard(keys, "evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC", "1737383403", body, standard);
        batch.sign();
        EXPECT_EQ(std::string(docmap.data(), docmap.size()),
                  "sha256=d666922b327e290f79f7e88344d17e5ff363ad9151114009d12da1831d329021");
        EXPECT_EQ(std::string(standard.data(), standard.size()),
                  "v1,Qvp49U2YsA0nrXS5PB4xRjwI3wHkHlLsMPqHZCyEAbY=");
    }
}

TEST(SignatureBatch, AgreesWithAOneShotHmacForBodiesOfAllSizes) {
    std::mt19937 random(1);
    const SigningKeys keys({std::string(secret)});
    for (std::size_t size = 1; size < 300; size += 7) {
        std::string body(size, '\0');
        for (char& c : body)
            c = static_cast<char>(random());
        EXPECT_EQ(docmap_signature(keys, body), "sha256=" + hmac_hex(std::string(secret), body)) << size;
    }
}

TEST(SignatureBatch, ManyAtOnceAreThoseOfEachAlone) {
    const SigningKeys first({std::string(secret)});
    const SigningKeys second({std::string(64, 'a')});
    SignatureBatch batch;
    std::vector<std::string> bodies;
    for (std::size_t i = 0; i < 100; ++i)
        bodies.push_back(std::string(1 + i * 50, static_cast<char>('a' + i % 26)));
    std::vector<std::array<char, SignatureBatch::docmap_size>> docmap(bodies.size());
    std::vector<std::array<char, SignatureBatch::standard_size>> standard(bodies.size());
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        batch.add_docmap(first, bodies[i], docmap[i]);
        batch.add_standard(second, "evt_" + std::to_string(i), std::to_string(i), bodies[i], standard[i]);
    }
    batch.sign();
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        EXPECT_EQ(std::string(docmap[i].data(), docmap[i].size()), docmap_signature(first, bodies[i])) << i;
        EXPECT_EQ(std::string(standard[i].data(), standard[i].size()),
                  standard_signature(second, "evt_" + std::to_string(i), std::to_string(i), bodies[i]))
            << i;
    }
}

TEST(SignatureBatch, SignsBodiesAroundTheLengthUpToWhichTheyAreJoined) {
    const SigningKeys keys({std::string(secret)});
    const std::string prefix = "evt_1.1737383403.";
    std::array<unsigned char, 48> key;
    EVP_DecodeBlock(key.data(), reinterpret_cast<const unsigned char*>(secret.data()), 64);
    for (std::size_t size = HmacSha256::longest_at_once - 20; size < HmacSha256::longest_at_once + 4;
         ++size) {
        const std::string body(size, 'b');
        const std::string message = prefix + body;
        std::array<unsigned char, 32> digest;
        unsigned digest_size = 0;
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
             &digest_size);
        std::array<unsigned char, 45> base64;
        EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
        EXPECT_EQ(standard_signature(keys, "evt_1", "1737383403", body),
                  "v1," + std::string(reinterpret_cast<const char*>(base64.data()), 44))
            << size;
        EXPECT_EQ(docmap_signature(keys, body), "sha256=" + hmac_hex(std::string(secret), body)) << size;
    }
}

TEST(SignatureBatch, IsFullAfterManySignaturesAndEmptyOnceSigned) {
    const SigningKeys keys({std::string(secret)});
    SignatureBatch batch;
    std::array<char, SignatureBatch::standard_size> out;
    for (std::size_t i = 0; i < HmacSha256::width; ++i) {
        EXPECT_FALSE(batch.is_full()) << i;
        batch.add_standard(keys, "evt_1", "1", "{}", out);
    }
    EXPECT_TRUE(batch.is_full());
    batch.sign();
    EXPECT_FALSE(batch.is_full());
}

TEST(SigningKeys, TakesUpperCaseSecretsAsTheyAre) {
    const std::string upper = "A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F90";
    EXPECT_EQ(docmap_signature(SigningKeys({upper}), "{}"), "sha256=" + hmac_hex(upper, "{}"));
}

TEST(SigningKeys, RefusesAMalformedSecretWithoutShowingIt) {
    for (const std::string& bad :
         {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'),
          std::string(64, '='), std::string(64, '\0'), "whsec_" + std::string(58, 'a')}) {
        try {
            const SigningKeys keys({bad});
            ADD_FAILURE() << "accepted: " << bad;
        } catch (const std::invalid_argument& error) {
            EXPECT_STREQ(error.what(), "a signing secret must be 64 hexadecimal characters");
        }
    }
}

} // namespace
} // namespace docmap::core
