#include "component/net/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>
#include <unistd.h>

namespace docmap::test {
namespace {

void check(bool succeeded, const char* what) {
    if (!succeeded) throw std::runtime_error(std::string("cannot make a test certificate: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    check(extension != nullptr, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/// Without `above` it signs itself; without `names` it is an authority.
Identity make(const std::string& common_name, const std::string& names, int days, const Identity* above) {
    static std::atomic<long> last_serial{static_cast<long>(::getpid()) * 1000};
    Identity made;
    made.key = std::shared_ptr<EVP_PKEY>(EVP_EC_gen("P-256"), CertificateDeleter());
    made.certificate = std::shared_ptr<X509>(X509_new(), CertificateDeleter());
    X509* const certificate = made.certificate.get();
    check(made.key != nullptr && certificate != nullptr, "memory");

    constexpr long day = 24 * 60 * 60;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++last_serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -10 * day);
    X509_gmtime_adj(X509_getm_notAfter(certificate), days * day);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);

    const Identity& issuer = above == nullptr ? made : *above;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
    if (names.empty()) {
        add_extension(certificate, issuer.certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    } else {
        add_extension(certificate, issuer.certificate.get(), NID_subject_alt_name, names);
    }
    check(X509_sign(certificate, issuer.key.get(), EVP_sha256()) > 0, "signature");
    if (above != nullptr) made.issuer = above->certificate;
    return made;
}

} // namespace

CertificateAuthority::CertificateAuthority() {
    static std::atomic<int> last_number{0};
    const std::string number = std::to_string(++last_number);
    root_ = make("Test authority " + number, "", 30, nullptr);
    file_ = std::filesystem::temp_directory_path() /
            ("docmap-test-ca-" + std::to_string(::getpid()) + "-" + number + ".pem");
    BIO* const out = BIO_new_file(file_.c_str(), "w");
    check(out != nullptr, file_.c_str());
    PEM_write_bio_X509(out, root_.certificate.get());
    BIO_free(out);
}

CertificateAuthority::~CertificateAuthority() {
    std::filesystem::remove(file_);
}

Identity CertificateAuthority::issue(const std::string& names, int days) const {
    return make("Test server", names, days, &root_);
}

Identity CertificateAuthority::self_signed(const std::string& names) {
    return make("Test server", names, 1, nullptr);
}

} // namespace docmap::test
