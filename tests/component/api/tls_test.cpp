// The server over HTTPS, with certificates made for the test.
#include "component/api/server_fixture.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace docmap::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Writes a fresh key and a certificate that it signs itself.
void write_certificate(const std::string& certificate_file, const std::string& key_file) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* file = std::fopen(certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

class TlsTest : public ServerTest {
  protected:
    TlsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "docmap-tls-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        config.tls_certificate = file("certificate.pem");
        config.tls_key = file("key.pem");
        write_certificate(config.tls_certificate, config.tls_key);
    }
    ~TlsTest() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name) const { return (folder_ / name).string(); }

  private:
    std::filesystem::path folder_;
};

TEST_F(TlsTest, ServesHttps) {
    start();
    RawClient client(port, RawClient::Security::tls);
    EXPECT_EQ(client.tls_parameters(), "TLSv1.3 http/1.1");
    client.send(request("POST /v1/webhooks", webhook_json) + request("GET /v1/webhooks"));
    EXPECT_THAT(client.read_response().body, HasSubstr("secret"));
    EXPECT_THAT(client.read_response().body, HasSubstr("webhook-000000000001"));
    client.send(request("GET /health", {}, "Connection: close\r\n"));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(TlsTest, RefusesALargeBodyOverHttps) {
    start();
    RawClient client(port, RawClient::Security::tls);
    client.send(request("POST /v1/webhooks", std::string(150'000, 'a')));
    EXPECT_EQ(client.read_response().status, 413);
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(TlsTest, ClosesClientsThatDoNotFinishTheHandshake) {
    config.request_timeout = 50ms;
    start();
    RawClient silent(port);
    EXPECT_TRUE(silent.is_closed_by_server());
    RawClient plain(port);
    plain.send(request("GET /health"));
    EXPECT_EQ(plain.read_response().status, 0);
}

TEST_F(TlsTest, StopsInOrder) {
    start();
    RawClient idle(port, RawClient::Security::tls);
    idle.send(request("GET /health"));
    EXPECT_EQ(idle.read_response().status, 200);
    RawClient in_handshake(port);
    stop(60s);
    EXPECT_TRUE(idle.is_closed_by_server());
    EXPECT_TRUE(in_handshake.is_closed_by_server());
    EXPECT_TRUE(has_stopped(10s));
}

TEST_F(TlsTest, NamesTheFileThatIsWrong) {
    config.tls_certificate = file("absent.pem");
    EXPECT_THAT(make_server()->start().error().message,
                HasSubstr("api.tls_certificate: " + file("absent.pem") + ": No such file"));

    config.tls_certificate = file("certificate.pem");
    std::ofstream(file("garbage.pem")) << "garbage";
    config.tls_key = file("garbage.pem");
    EXPECT_THAT(make_server()->start().error().message,
                HasSubstr("api.tls_key: " + file("garbage.pem") + ": "));

    write_certificate(file("other.pem"), file("other-key.pem"));
    config.tls_key = file("other-key.pem");
    EXPECT_THAT(make_server()->start().error().message,
                testing::AnyOf(HasSubstr("api.tls_key: " + file("other-key.pem") + ": does not belong"),
                               HasSubstr("key values mismatch")));
}

} // namespace
} // namespace docmap::test
