#include "store/api_key_repository.hpp"

#include "base/hex.hpp"
#include "store/repository_call.hpp"

#include <utility>

namespace docmap::store {

namespace {

constexpr Statement select_user = {
    "select_api_key_user",
    "SELECT user_id FROM api_keys WHERE key_hash = decode($1, 'hex') AND revoked_at IS NULL "
    "AND (expires_at IS NULL OR expires_at > now())"};

} // namespace

ports::RepositoryAwaitable<std::string>
PostgresApiKeyRepository::find_user(std::array<unsigned char, 32> key_hash) {
    auto work = [digits =
                     base::to_hex(key_hash)](Connection& connection) -> ports::RepositoryResult<std::string> {
        const pqxx::result rows = connection.run(select_user, digits);
        if (rows.empty()) return ports::RepositoryError::not_found;
        return rows[0][0].as<std::string>();
    };
    return repository_call<std::string>(queries_, std::move(work));
}

} // namespace docmap::store
