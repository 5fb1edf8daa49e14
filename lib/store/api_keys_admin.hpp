// API keys as an operator manages them on the command line. Each call connects, does one thing and closes.
// Blocking; any thread. Prints nothing.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::store {

/// How long a key is valid. No value: for ever.
struct KeyLifetime {
    std::optional<std::chrono::days> days;
};

/// Reads `30d`, `60d`, `90d`, `1y` or `never`.
base::Result<KeyLifetime> parse_key_lifetime(std::string_view text);

struct NewApiKey {
    std::string user_id; ///< 1–128 characters
    std::string name;    ///< up to 128 characters, for people
    KeyLifetime lifetime;
    /// An existing key to take over, `dm_live_` and 64 hex characters; made anew where absent.
    std::optional<std::string> existing_key;
};

/// A key as it is stored: never the key itself.
struct ApiKeyView {
    std::string id; ///< `key-` and 12 of `a-z0-9`
    std::string user_id;
    std::string name;
    base::SystemTime created_at{};
    std::optional<base::SystemTime> expires_at;
    std::optional<base::SystemTime> revoked_at;
};

struct CreatedApiKey {
    std::string key; ///< shown once: only its hash is stored
    ApiKeyView view;
};

/// Creates a key. Fails with `MAX_KEYS_REACHED: …` where the user has 10 valid ones, also when calls race,
/// and on an existing key that is malformed or stored already.
base::Result<CreatedApiKey> create_api_key(const config::Postgres& settings, const NewApiKey& key);

/// The keys of one user, or of all users where `user_id` is empty; newest first.
base::Result<std::vector<ApiKeyView>> list_api_keys(const config::Postgres& settings,
                                                    const std::string& user_id);

/// Revokes a key at once and for good. Fails where there is no such key; harmless on one that is revoked
/// already.
base::Result<void> revoke_api_key(const config::Postgres& settings, const std::string& id);

} // namespace docmap::store
