// A certificate authority and server certificates, made in memory for one test run.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>

namespace docmap::test {

struct CertificateDeleter {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

/// A certificate, its key, and the certificate above it where there is one.
struct Identity {
    std::shared_ptr<X509> certificate;
    std::shared_ptr<EVP_PKEY> key;
    std::shared_ptr<X509> issuer;
};

class CertificateAuthority {
  public:
    CertificateAuthority();
    ~CertificateAuthority();

    CertificateAuthority(const CertificateAuthority&) = delete;
    CertificateAuthority& operator=(const CertificateAuthority&) = delete;

    /// Valid for `names` (`DNS:a.test,IP:127.0.0.1`) until `days` from now.
    Identity issue(const std::string& names, int days = 1) const;

    /// The authority's own certificate as a PEM file, for `ca_file`.
    std::string file() const { return file_.string(); }

    static Identity self_signed(const std::string& names);

  private:
    Identity root_;
    std::filesystem::path file_;
};

} // namespace docmap::test
