#include "config/master_key.hpp"

#include "base/hex.hpp"
#include "base/log.hpp"
#include "config/files.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace docmap::config {
namespace {

void warn_where_world_readable(const std::filesystem::path& path) {
    std::error_code ignored;
    const auto permissions = std::filesystem::status(path, ignored).permissions();
    if (ignored || (permissions & std::filesystem::perms::others_read) == std::filesystem::perms::none)
        return;
    base::log::warning("everyone on this machine can read the master key; allow its owner only (chmod 600)",
                       {{"file", path.string()}});
}

} // namespace

base::Result<MasterKey> read_master_key_file(const std::filesystem::path& path) {
    base::Result<std::string> text = read_file(path);
    if (!text) return base::Error{path.string() + " " + text.error().message};

    std::string_view digits = *text;
    if (digits.ends_with('\n')) digits.remove_suffix(1);
    if (digits.ends_with('\r')) digits.remove_suffix(1);
    std::optional<std::vector<unsigned char>> bytes = base::from_hex(digits);

    MasterKey key{};
    const bool valid = bytes && bytes->size() == key.size();
    if (valid) std::ranges::copy(*bytes, key.begin());
    if (bytes) OPENSSL_cleanse(bytes->data(), bytes->size());
    OPENSSL_cleanse(text->data(), text->size());
    if (!valid)
        return base::Error{path.string() + " holds no master key; it must be 64 hex characters, as made by: "
                                           "openssl rand -hex 32"};
    return key;
}

base::Result<MasterKey> read_master_key(const Secrets& secrets, const Environment& environment) {
    if (!secrets.master_key_file.empty()) {
        warn_where_world_readable(secrets.master_key_file);
        return read_master_key_file(secrets.master_key_file);
    }
    if (const auto credential = credential_path(environment, "master-key"))
        return read_master_key_file(*credential);
    return base::Error{
        "secrets.master_key_file: no master key to encrypt signing secrets with; make one with "
        "\"openssl rand -hex 32 > master.key\" and name the file here, or pass it as the systemd "
        "credential \"master-key\""};
}

} // namespace docmap::config
