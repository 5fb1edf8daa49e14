#include "config/files.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

namespace docmap::config {
namespace {

struct Deleter {
    void operator()(std::FILE* file) const { std::fclose(file); }
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template<typename T>
using Owned = std::unique_ptr<T, Deleter>;

base::Error unreadable(int error_number) {
    return {"cannot be read: " + std::generic_category().message(error_number)};
}

/// Answers a question for a passphrase with "none", so that nothing waits at a terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

Owned<BIO> memory(const std::string& text) {
    return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// The first certificate; none where `pem` does not begin with a valid one.
Owned<X509> first_certificate(const std::string& pem) {
    const Owned<BIO> bio = memory(pem);
    Owned<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return certificate;
}

Owned<EVP_PKEY> private_key(const std::string& pem) {
    const Owned<BIO> bio = memory(pem);
    Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return key;
}

} // namespace

base::Result<std::string> read_file(const std::filesystem::path& path) {
    const Owned<std::FILE> file(std::fopen(path.c_str(), "rb"));
    if (!file) return unreadable(errno);

    std::string text;
    std::array<char, 16 * 1024> chunk{};
    while (const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
        text.append(chunk.data(), count);
        if (text.size() > max_file_bytes) return base::Error{"is larger than 8 MiB; name the right file"};
    }
    if (std::ferror(file.get()) != 0) return unreadable(errno);
    return base::success(std::move(text));
}

std::optional<std::string> check_certificates(const std::filesystem::path& path) {
    const base::Result<std::string> pem = read_file(path);
    if (!pem) return path.string() + " " + pem.error().message;
    if (!first_certificate(*pem))
        return path.string() + " holds no certificate; it must be in PEM form (-----BEGIN CERTIFICATE-----)";
    return std::nullopt;
}

std::optional<std::string> check_private_key(const std::filesystem::path& path,
                                             const std::filesystem::path& certificate_path) {
    const base::Result<std::string> pem = read_file(path);
    if (!pem) return path.string() + " " + pem.error().message;
    const Owned<EVP_PKEY> key = private_key(*pem);
    if (!key) return path.string() + " holds no private key; it must be in PEM form and without a passphrase";

    const base::Result<std::string> certificate_pem = read_file(certificate_path);
    if (!certificate_pem) return std::nullopt;
    const Owned<X509> certificate = first_certificate(*certificate_pem);
    if (!certificate) return std::nullopt;
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
        ERR_clear_error();
        return path.string() + " is not the key of the first certificate in " + certificate_path.string();
    }
    return std::nullopt;
}

} // namespace docmap::config
