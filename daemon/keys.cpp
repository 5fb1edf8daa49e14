#include "daemon/commands.hpp"
#include "store/api_keys_admin.hpp"

#include <iostream>
#include <string>

namespace docmap::daemon {

namespace {

int fail(const base::Error& error) {
    std::cerr << "docmap-webhookd keys: " << error.message << '\n';
    return exit_failed;
}

std::string optional_time(const std::optional<base::SystemTime>& time) {
    return time ? base::format_iso8601(*time) : "-";
}

} // namespace

int create_key(const config::Config& config, const Options& options) {
    const auto lifetime = store::parse_key_lifetime(options.expires);
    if (!lifetime) return fail(lifetime.error());
    store::NewApiKey key{options.user, options.name, *lifetime, {}};
    if (options.import) {
        std::string existing;
        std::getline(std::cin, existing);
        key.existing_key = existing;
    }
    const auto created = store::create_api_key(config.postgres, key);
    if (!created) return fail(created.error());
    std::cout << created->key << std::endl;
    return exit_ok;
}

int list_keys(const config::Config& config, const Options& options) {
    const auto keys = store::list_api_keys(config.postgres, options.user);
    if (!keys) return fail(keys.error());
    std::cout << "ID\tUSER\tCREATED\tEXPIRES\tREVOKED\tNAME\n";
    for (const store::ApiKeyView& key : *keys)
        std::cout << key.id << '\t' << key.user_id << '\t' << base::format_iso8601(key.created_at) << '\t'
                  << optional_time(key.expires_at) << '\t' << optional_time(key.revoked_at) << '\t'
                  << key.name << '\n';
    return exit_ok;
}

int revoke_key(const config::Config& config, const Options& options) {
    const auto revoked = store::revoke_api_key(config.postgres, options.key_id);
    if (!revoked) return fail(revoked.error());
    std::cout << "revoked " << options.key_id << '\n';
    return exit_ok;
}

} // namespace docmap::daemon
