#include "store/api_keys_admin.hpp"

#include "base/hex.hpp"
#include "core/api_token.hpp"
#include "core/sha256.hpp"
#include "store/array_literal.hpp"
#include "store/connection.hpp"
#include "store/one_connection.hpp"
#include "store/random.hpp"
#include "store/webhook_rows.hpp"

#include <array>
#include <utility>

namespace docmap::store {

namespace {

constexpr int max_valid_keys = 10;
constexpr std::size_t max_name_bytes = 128;

constexpr Statement lock_user = {
    "lock_api_key_user", "SELECT pg_advisory_xact_lock(hashtextextended('docmap:api_keys:' || $1::text, 0))"};

constexpr Statement count_valid = {"count_valid_keys",
                                   "SELECT count(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL "
                                   "AND (expires_at IS NULL OR expires_at > now())"};

constexpr Statement insert_key = {
    "insert_api_key", "INSERT INTO api_keys (id, user_id, name, key_hash, expires_at) "
                      "VALUES ($1, $2, $3, decode($4, 'hex'), now() + $5::integer * interval '1 day') "
                      "ON CONFLICT DO NOTHING RETURNING id, user_id, name, "
                      "(extract(epoch FROM created_at) * 1000)::bigint, "
                      "(extract(epoch FROM expires_at) * 1000)::bigint, NULL::bigint"};

constexpr Statement select_hash = {"select_api_key_hash",
                                   "SELECT 1 FROM api_keys WHERE key_hash = decode($1, 'hex')"};

constexpr Statement select_keys = {
    "select_api_keys", "SELECT id, user_id, name, (extract(epoch FROM created_at) * 1000)::bigint, "
                       "(extract(epoch FROM expires_at) * 1000)::bigint, "
                       "(extract(epoch FROM revoked_at) * 1000)::bigint "
                       "FROM api_keys WHERE $1 = '' OR user_id = $1 ORDER BY created_at DESC, id DESC"};

constexpr Statement update_revoked = {
    "revoke_api_key", "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1"};

template<typename Field>
std::optional<base::SystemTime> optional_time(const Field& field) {
    if (field.is_null()) return std::nullopt;
    return from_milliseconds(field.template as<std::int64_t>());
}

template<typename Row>
ApiKeyView read(const Row& row) {
    return {row[0].template as<std::string>(),
            row[1].template as<std::string>(),
            row[2].template as<std::string>(),
            from_milliseconds(row[3].template as<std::int64_t>()),
            optional_time(row[4]),
            optional_time(row[5])};
}

std::string new_key() {
    std::array<unsigned char, 32> random{};
    fill_random(random);
    return core::make_api_key(random);
}

base::Result<void> check(const NewApiKey& key) {
    if (key.user_id.empty() || key.user_id.size() > 128 || !is_storable(key.user_id))
        return base::Error{"user: expected 1 to 128 characters of UTF-8"};
    if (key.name.size() > max_name_bytes || !is_storable(key.name))
        return base::Error{"name: expected at most 128 characters of UTF-8"};
    if (key.existing_key && !core::is_api_key(*key.existing_key))
        return base::Error{"the key to import is not an API key (it is not shown): expected dm_live_ and 64 "
                           "lower-case hex characters"};
    return {};
}

base::Result<CreatedApiKey> create_over(Connection& connection, const NewApiKey& wanted) {
    const std::string key = wanted.existing_key ? *wanted.existing_key : new_key();
    const std::string hash = base::to_hex(core::sha256(key));
    const std::string days = wanted.lifetime.days ? std::to_string(wanted.lifetime.days->count()) : "";
    pqxx::work transaction(connection.native());
    connection.run_in(transaction, lock_user, wanted.user_id);
    if (connection.run_in(transaction, count_valid, wanted.user_id)[0][0].as<int>() >= max_valid_keys)
        return base::Error{"MAX_KEYS_REACHED: user " + wanted.user_id + " has " +
                           std::to_string(max_valid_keys) +
                           " valid API keys, the most there may be: revoke one first"};
    while (true) {
        const pqxx::result inserted =
            connection.run_in(transaction, insert_key, random_id("key-"), wanted.user_id, wanted.name, hash,
                              wanted.lifetime.days ? days.c_str() : nullptr);
        if (!inserted.empty()) {
            transaction.commit();
            return CreatedApiKey{key, read(inserted[0])};
        }
        if (!connection.run_in(transaction, select_hash, hash).empty())
            return base::Error{"this API key is stored already: docmap-webhookd keys list shows it"};
    }
}

std::vector<ApiKeyView> list_over(Connection& connection, const std::string& user_id) {
    std::vector<ApiKeyView> views;
    for (const auto& row : connection.run(select_keys, user_id))
        views.push_back(read(row));
    return views;
}

} // namespace

base::Result<KeyLifetime> parse_key_lifetime(std::string_view text) {
    using std::chrono::days;
    static constexpr std::array<std::pair<std::string_view, std::optional<days>>, 5> choices = {{
        {"30d", days{30}},
        {"60d", days{60}},
        {"90d", days{90}},
        {"1y", days{365}},
        {"never", std::nullopt},
    }};
    for (const auto& [name, lifetime] : choices)
        if (name == text) return KeyLifetime{lifetime};
    return base::Error{"expiry \"" + std::string(text) + "\": expected 30d, 60d, 90d, 1y or never"};
}

base::Result<CreatedApiKey> create_api_key(const config::Postgres& settings, const NewApiKey& key) {
    const auto valid = check(key);
    if (!valid.has_value()) return valid.error();
    return with_current_schema<CreatedApiKey>(
        settings, [&](Connection& connection) { return create_over(connection, key); });
}

base::Result<std::vector<ApiKeyView>> list_api_keys(const config::Postgres& settings,
                                                    const std::string& user_id) {
    return with_current_schema<std::vector<ApiKeyView>>(
        settings, [&](Connection& connection) { return list_over(connection, user_id); });
}

base::Result<void> revoke_api_key(const config::Postgres& settings, const std::string& id) {
    return with_current_schema<void>(settings, [&](Connection& connection) -> base::Result<void> {
        if (is_storable(id) && connection.run(update_revoked, id).affected_rows() > 0) return {};
        return base::Error{"no API key has the id \"" + id + "\": docmap-webhookd keys list shows them"};
    });
}

} // namespace docmap::store
