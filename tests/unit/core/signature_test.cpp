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

std::string docmap_signature(Signer& signer, std::string_view body) {
    std::array<char, Signer::docmap_size> out;
    signer.write_docmap(body, out);
    return {out.data(), out.size()};
}

std::string standard_signature(Signer& signer, std::string_view id, std::string_view timestamp,
                               std::string_view body) {
    std::array<char, Signer::standard_size> out;
    signer.write_standard(id, timestamp, body, out);
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

TEST(Signer, GivesTheContractsTestVector) {
    constexpr std::string_view body =
        R"({"id":"evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC","event":"extraction.completed","userId":"uid_a1b2c3d4e5f6",)"
        R"("extractionId":"extract-xyz789","createdAt":"2025-01-20T14:30:03.512Z",)"
        R"("data":{"status":"completed","fileName":"invoice.pdf"}})";
    static_assert(body.size() == 224);
    Signer signer({std::string(secret)});
    // Twice: a kept context must start afresh.
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(docmap_signature(signer, body),
                  "sha256=d666922b327e290f79f7e88344d17e5ff363ad9151114009d12da1831d329021");
        EXPECT_EQ(standard_signature(signer, "evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC", "1737383403", body),
                  "v1,Qvp49U2YsA0nrXS5PB4xRjwI3wHkHlLsMPqHZCyEAbY=");
    }
}

TEST(Signer, AgreesWithAOneShotHmacForBodiesOfAllSizes) {
    std::mt19937 random(1);
    Signer signer({std::string(secret)});
    for (std::size_t size = 0; size < 300; size += 7) {
        std::string body(size, '\0');
        for (char& c : body)
            c = static_cast<char>(random());
        EXPECT_EQ(docmap_signature(signer, body), "sha256=" + hmac_hex(std::string(secret), body)) << size;
    }
}

TEST(Signer, TakesUpperCaseSecretsAsTheyAre) {
    const std::string upper = "A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F90";
    Signer signer({upper});
    EXPECT_EQ(docmap_signature(signer, "{}"), "sha256=" + hmac_hex(upper, "{}"));
}

TEST(Signer, SignersOfOneThreadDoNotDisturbEachOther) {
    Signer first({std::string(secret)});
    const Signer second({std::string(64, 'a')});
    const std::string expected = docmap_signature(first, "body");
    std::array<char, Signer::docmap_size> others;
    second.write_docmap("body", others);
    EXPECT_NE(std::string(others.data(), others.size()), expected);
    EXPECT_EQ(docmap_signature(first, "body"), expected);
}

TEST(Signer, RefusesAMalformedSecretWithoutShowingIt) {
    for (const std::string& bad :
         {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'),
          std::string(64, '='), std::string(64, '\0'), "whsec_" + std::string(58, 'a')}) {
        try {
            Signer signer({bad});
            ADD_FAILURE() << "accepted: " << bad;
        } catch (const std::invalid_argument& error) {
            EXPECT_STREQ(error.what(), "a signing secret must be 64 hexadecimal characters");
        }
    }
}

} // namespace
} // namespace docmap::core
