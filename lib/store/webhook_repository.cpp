#include "store/webhook_repository.hpp"

#include "base/hex.hpp"
#include "store/array_literal.hpp"
#include "store/random.hpp"
#include "store/repository_call.hpp"
#include "store/webhook_rows.hpp"

#include <span>
#include <utility>

namespace docmap::store {

namespace {

constexpr int max_active_webhooks = 10;

// Taken before the count is read, so that of calls for one user each sees what the one before it made.
constexpr Statement lock_user = {
    "lock_webhook_user", "SELECT pg_advisory_xact_lock(hashtextextended('docmap:webhooks:' || $1::text, 0))"};

constexpr Statement count_active = {"count_active_webhooks",
                                    "SELECT count(*) FROM webhooks WHERE user_id = $1 AND active"};

constexpr Statement insert_webhook = {
    "insert_webhook", "INSERT INTO webhooks (id, user_id, url, events, secret_sealed) "
                      "VALUES ($1, $2, $3, $4::text[], decode($5, 'hex')) ON CONFLICT (id) DO NOTHING "
                      "RETURNING (extract(epoch FROM created_at) * 1000)::bigint"};

// Only the deactivated can be many.
constexpr Statement select_webhooks = {
    "select_webhooks",
    "SELECT id, url, array_to_string(events, ','), (extract(epoch FROM created_at) * 1000)::bigint "
    "FROM webhooks WHERE user_id = $1 AND active = $2 ORDER BY created_at DESC, id DESC LIMIT 1000"};

constexpr Statement delete_webhook = {"delete_webhook",
                                      "DELETE FROM webhooks WHERE id = $1 AND user_id = $2"};

constexpr Statement select_exists = {"select_webhook_exists", "SELECT 1 FROM webhooks WHERE id = $1"};

std::string seal(const core::SecretBox& secrets, const std::string& secret, const std::string& webhook_id) {
    core::SecretBox::Nonce nonce{};
    fill_random(nonce);
    const std::string sealed = secrets.seal(secret, webhook_id, nonce);
    return base::to_hex({reinterpret_cast<const unsigned char*>(sealed.data()), sealed.size()});
}

ports::RepositoryResult<ports::WebhookView> create_in(Connection& connection, const core::SecretBox& secrets,
                                                      const ports::NewWebhook& webhook) {
    pqxx::work transaction(connection.native());
    connection.run_in(transaction, lock_user, webhook.user_id);
    if (connection.run_in(transaction, count_active, webhook.user_id)[0][0].as<int>() >= max_active_webhooks)
        return ports::RepositoryError::limit_reached;
    while (true) {
        const std::string id = random_id("webhook-");
        const pqxx::result inserted =
            connection.run_in(transaction, insert_webhook, id, webhook.user_id, webhook.url,
                              events_literal(webhook.events), seal(secrets, webhook.secret.text, id));
        if (inserted.empty()) continue; // the id is taken
        transaction.commit();
        return ports::WebhookView{id,          webhook.user_id,
                                  webhook.url, webhook.events,
                                  true,        from_milliseconds(inserted[0][0].as<std::int64_t>())};
    }
}

} // namespace

PostgresWebhookRepository::PostgresWebhookRepository(Database& queries, const core::SecretBox& secrets)
    : queries_(queries), secrets_(secrets) {}

ports::RepositoryAwaitable<ports::WebhookView> PostgresWebhookRepository::create(ports::NewWebhook webhook) {
    auto work = [&secrets = secrets_, webhook = std::move(webhook)](Connection& connection) {
        return create_in(connection, secrets, webhook);
    };
    return repository_call<ports::WebhookView>(queries_, std::move(work));
}

ports::RepositoryAwaitable<std::vector<ports::WebhookView>>
PostgresWebhookRepository::list(std::string user_id, bool active) {
    using Views = std::vector<ports::WebhookView>;
    auto work = [user_id = std::move(user_id),
                 active](Connection& connection) -> ports::RepositoryResult<Views> {
        Views views;
        for (const auto& row : connection.run(select_webhooks, user_id, active))
            views.push_back({row[0].as<std::string>(), user_id, row[1].as<std::string>(),
                             parse_events(row[2].as<std::string>()), active,
                             from_milliseconds(row[3].as<std::int64_t>())});
        return views;
    };
    return repository_call<Views>(queries_, std::move(work));
}

ports::RepositoryAwaitable<void> PostgresWebhookRepository::remove(std::string user_id,
                                                                   std::string webhook_id) {
    auto work = [user_id = std::move(user_id), webhook_id = std::move(webhook_id)](
                    Connection& connection) -> ports::RepositoryResult<void> {
        if (!is_storable(webhook_id)) return ports::RepositoryError::not_found;
        if (connection.run(delete_webhook, webhook_id, user_id).affected_rows() > 0) return {};
        return connection.run(select_exists, webhook_id).empty() ? ports::RepositoryError::not_found
                                                                 : ports::RepositoryError::forbidden;
    };
    return repository_call<void>(queries_, std::move(work));
}

} // namespace docmap::store
