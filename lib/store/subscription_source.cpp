#include "store/subscription_source.hpp"

#include "base/hex.hpp"
#include "base/log.hpp"
#include "core/url.hpp"
#include "store/array_literal.hpp"
#include "store/webhook_rows.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace docmap::store {

namespace {

constexpr Statement select_subscriptions = {
    "select_subscriptions",
    "SELECT id, user_id, url, array_to_string(events, ','), encode(secret_sealed, 'hex'), "
    "encode(previous_secret_sealed, 'hex'), "
    "(extract(epoch FROM coalesce(previous_secret_expires_at, created_at)) * 1000)::bigint, "
    "max_attempts_per_second "
    "FROM webhooks WHERE active AND user_id = ANY ($1::text[]) ORDER BY user_id, created_at, id"};

class Reader {
  public:
    Reader(const core::SecretBox& secrets, bool allow_http) : secrets_(secrets), allow_http_(allow_http) {}

    /// Null where the row cannot be used, which is logged.
    template<typename Row>
    core::WebhookPtr read(const Row& row) const {
        auto webhook = std::make_shared<core::Webhook>();
        webhook->id = core::WebhookId(row[0].template as<std::string>());
        webhook->user_id = row[1].template as<std::string>();
        webhook->url = row[2].template as<std::string>();
        webhook->events = parse_events(row[3].template as<std::string>());

        auto url = core::parse_webhook_url(webhook->url, allow_http_);
        if (!url.has_value()) return refuse(*webhook, "url", url.error());
        webhook->parsed_url = std::move(*url);

        auto secret = open(row[4].template as<std::string>(), webhook->id.text());
        if (!secret.has_value()) return refuse(*webhook, "secret", secret.error());
        webhook->secret.text = std::move(*secret);

        if (!row[7].is_null()) webhook->max_attempts_per_second = row[7].template as<std::uint32_t>();
        if (row[5].is_null()) return webhook;
        auto previous = open(row[5].template as<std::string>(), webhook->id.text());
        if (!previous.has_value()) return refuse(*webhook, "previous secret", previous.error());
        webhook->previous_secret = core::SigningSecret{std::move(*previous)};
        webhook->previous_secret_expires_at = from_milliseconds(row[6].template as<std::int64_t>());
        return webhook;
    }

  private:
    base::Result<std::string> open(std::string_view hex, const std::string& webhook_id) const {
        const auto sealed = base::from_hex(hex);
        if (!sealed) return base::Error{"the stored bytes cannot be read"};
        return secrets_.open({reinterpret_cast<const char*>(sealed->data()), sealed->size()}, webhook_id);
    }

    static core::WebhookPtr refuse(const core::Webhook& webhook, const char* what, const base::Error& error) {
        base::log::error("a stored webhook cannot be used; it gets no deliveries",
                         {{"webhook_id", webhook.id.text()},
                          {"user_id", webhook.user_id},
                          {"unusable", what},
                          {"reason", error.message}});
        return nullptr;
    }

    const core::SecretBox& secrets_;
    bool allow_http_;
};

} // namespace

PostgresSubscriptionSource::PostgresSubscriptionSource(Database& queries,
                                                       boost::asio::any_io_executor control,
                                                       const core::SecretBox& secrets, bool allow_http)
    : queries_(queries), control_(std::move(control)), secrets_(secrets), allow_http_(allow_http) {}

void PostgresSubscriptionSource::load(std::vector<std::string> user_ids, Loaded done) {
    auto query = [user_ids = std::move(user_ids),
                  reader = Reader(secrets_, allow_http_)](Connection& connection) {
        std::vector<ports::UserSubscriptions> result;
        std::unordered_map<std::string_view, std::size_t> places;
        for (const std::string& user_id : user_ids)
            if (places.try_emplace(user_id, result.size()).second) result.push_back({user_id, {}});
        for (const auto& row : connection.run(select_subscriptions, text_array(user_ids))) {
            core::WebhookPtr webhook = reader.read(row);
            if (!webhook) continue;
            const auto place = places.find(webhook->user_id);
            if (place != places.end()) result[place->second].webhooks.push_back(std::move(webhook));
        }
        return result;
    };
    run_on(queries_, control_, std::move(query), std::move(done));
}

} // namespace docmap::store
