#include "config/files.hpp"
#include "config/load.hpp"
#include "temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace docmap::config {
namespace {

struct Deleter {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

/// A key and a certificate signed with it, in PEM form.
struct Identity {
    std::string certificate;
    std::string key;
    std::string key_with_passphrase;
};

Identity make_identity() {
    const std::unique_ptr<EVP_PKEY, Deleter> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Deleter> certificate(X509_new());
    X509_set_pubkey(certificate.get(), key.get());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_sign(certificate.get(), key.get(), EVP_sha256());

    Identity identity;
    std::unique_ptr<BIO, Deleter> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate.get());
    identity.certificate = text_of(bio.get());
    bio.reset(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    identity.key = text_of(bio.get());
    bio.reset(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
    identity.key_with_passphrase = text_of(bio.get());
    return identity;
}

class FilesTest : public testing::Test {
  protected:
    TemporaryFolder folder_;
    Identity identity_ = make_identity();
};

TEST_F(FilesTest, AreReadWhole) {
    std::string text = "line\n" + std::string(50'000, 'x');
    text += '\0';
    EXPECT_EQ(read_file(folder_.write("file", text)).value(), text);
    EXPECT_EQ(read_file(folder_.write("empty", "")).value(), "");
}

TEST_F(FilesTest, ThatCannotBeReadSayWhy) {
    EXPECT_EQ(read_file(folder_.path() / "none").error().message,
              "cannot be read: No such file or directory");
    EXPECT_EQ(read_file(folder_.path()).error().message, "cannot be read: Is a directory");
    EXPECT_EQ(read_file("/dev/zero").error().message, "is larger than 8 MiB; name the right file");
}

TEST_F(FilesTest, HoldCertificates) {
    EXPECT_EQ(check_certificates(folder_.write("ca.pem", "A comment\n" + identity_.certificate)),
              std::nullopt);

    for (const std::string& text :
         {std::string(), identity_.key,
          std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
        const std::string file = folder_.write("ca.pem", text);
        EXPECT_EQ(check_certificates(file),
                  file + " holds no certificate; it must be in PEM form (-----BEGIN CERTIFICATE-----)");
    }
    EXPECT_EQ(check_certificates("/nonexistent.pem"),
              "/nonexistent.pem cannot be read: No such file or directory");
}

TEST_F(FilesTest, HoldTheKeyOfTheCertificate) {
    const std::string certificate = folder_.write("certificate.pem", identity_.certificate);
    const std::string key = folder_.write("key.pem", identity_.key);
    EXPECT_EQ(check_private_key(key, certificate), std::nullopt);
    EXPECT_EQ(check_private_key(key, "/nonexistent.pem"), std::nullopt);
    EXPECT_EQ(check_private_key(key, key), std::nullopt);

    const std::string other = folder_.write("other.pem", make_identity().key);
    EXPECT_EQ(check_private_key(other, certificate),
              other + " is not the key of the first certificate in " + certificate);

    for (const std::string& text : {identity_.key_with_passphrase, identity_.certificate, std::string()}) {
        const std::string file = folder_.write("bad.pem", text);
        EXPECT_EQ(check_private_key(file, certificate),
                  file + " holds no private key; it must be in PEM form and without a passphrase");
    }
    EXPECT_EQ(check_private_key("/nonexistent.pem", certificate),
              "/nonexistent.pem cannot be read: No such file or directory");
}

TEST_F(FilesTest, AreCheckedWhenAConfigurationNamesThem) {
    const std::string config = folder_.write("config.toml", "[delivery]\n"
                                                            "ca_file = \"/nonexistent/ca.pem\"\n"
                                                            "[api]\n"
                                                            "tls_key = \"/nonexistent/key.pem\"\n"
                                                            "[secrets]\n"
                                                            "master_key_file = \"/nonexistent/key\"\n");
    std::vector<std::string> lines;
    for (const Problem& problem : load(config, {}).problems)
        lines.push_back(problem.text());
    const std::string missing = " cannot be read: No such file or directory";
    EXPECT_THAT(
        lines, testing::ElementsAre(
                   config + ":2: delivery.ca_file: /nonexistent/ca.pem" + missing,
                   config + ":4: api.tls_key: needs api.tls_certificate as well; set both to serve HTTPS, or "
                            "neither",
                   config + ":4: api.tls_key: /nonexistent/key.pem" + missing,
                   config + ":6: secrets.master_key_file: /nonexistent/key" + missing));
}

TEST_F(FilesTest, OfAGoodConfigurationAreAccepted) {
    const std::string certificate = folder_.write("certificate.pem", identity_.certificate);
    const std::string config = folder_.write(
        "config.toml", "[delivery]\nca_file = \"" + certificate + "\"\n[api]\ntls_certificate = \"" +
                           certificate + "\"\ntls_key = \"" + folder_.write("key.pem", identity_.key) +
                           "\"\n[secrets]\nmaster_key_file = \"" +
                           folder_.write("master.key", std::string(64, '0') + "\n") + "\"\n");
    EXPECT_THAT(load(config, {}).problems, testing::IsEmpty());
}

} // namespace
} // namespace docmap::config
