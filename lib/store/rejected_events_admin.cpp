#include "store/rejected_events_admin.hpp"

#include "base/hex.hpp"
#include "store/array_literal.hpp"
#include "store/one_connection.hpp"
#include "store/webhook_rows.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace docmap::store {

namespace {

constexpr Statement select_list = {
    "list_rejected_events",
    "SELECT id, topic, partition, kafka_offset, (extract(epoch FROM rejected_at) * 1000)::bigint, reason, "
    "octet_length(value), (extract(epoch FROM replayed_at) * 1000)::bigint FROM rejected_events "
    "WHERE ($1 = '' OR topic = $1) AND ($2::text IS NULL OR rejected_at >= $2::timestamptz) "
    "AND ($3::boolean OR replayed_at IS NULL) ORDER BY id DESC LIMIT $4"};

constexpr Statement select_ids = {
    "select_not_replayed",
    "SELECT id FROM rejected_events WHERE replayed_at IS NULL AND id > $1 ORDER BY id LIMIT $2"};

constexpr Statement select_known = {"select_rejected_known", "SELECT 1 FROM rejected_events WHERE id = $1"};

constexpr Statement lock_event = {
    "lock_rejected_event",
    "SELECT topic, partition, kafka_offset, encode(key, 'hex'), encode(value, 'hex'), "
    "(extract(epoch FROM replayed_at) * 1000)::bigint FROM rejected_events WHERE id = $1 "
    "FOR UPDATE SKIP LOCKED"};

constexpr Statement update_replayed = {"update_rejected_replayed",
                                       "UPDATE rejected_events SET replayed_at = now() WHERE id = $1"};

template<typename Field>
std::optional<base::SystemTime> optional_time(const Field& field) {
    if (field.is_null()) return std::nullopt;
    return from_milliseconds(field.template as<std::int64_t>());
}

template<typename Field>
std::optional<std::string> optional_bytes(const Field& field) {
    if (field.is_null()) return std::nullopt;
    const auto bytes = base::from_hex(field.template as<std::string>());
    if (!bytes) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

/// Kafka may take longer to answer than a transaction may stand still elsewhere.
void allow_idle_transactions(Connection& connection, std::chrono::milliseconds longest) {
    pqxx::nontransaction autocommit(connection.native());
    autocommit.exec("SET idle_in_transaction_session_timeout = " + std::to_string(longest.count()));
}

std::vector<RejectedEventView> list_over(Connection& connection, const RejectedEventFilter& filter) {
    const std::string since = filter.since ? base::format_iso8601(*filter.since) : "";
    std::vector<RejectedEventView> views;
    for (const auto& row : connection.run(select_list, filter.topic, filter.since ? since.c_str() : nullptr,
                                          filter.replayed_too, static_cast<std::int64_t>(filter.limit))) {
        RejectedEventView& view = views.emplace_back();
        view.id = row[0].as<std::int64_t>();
        view.topic = row[1].as<std::string>();
        view.partition = row[2].as<std::int32_t>();
        view.offset = row[3].as<std::int64_t>();
        view.rejected_at = from_milliseconds(row[4].as<std::int64_t>());
        view.reason = row[5].as<std::string>();
        if (!row[6].is_null()) view.value_bytes = row[6].as<std::int64_t>();
        view.replayed_at = optional_time(row[7]);
    }
    return views;
}

} // namespace

base::Result<std::vector<RejectedEventView>> list_rejected_events(const config::Postgres& settings,
                                                                  const RejectedEventFilter& filter) {
    if (!is_storable(filter.topic)) return std::vector<RejectedEventView>();
    return with_current_schema<std::vector<RejectedEventView>>(
        settings, [&](Connection& connection) { return list_over(connection, filter); });
}

base::Result<std::unique_ptr<RejectedEvents>> RejectedEvents::open(const config::Postgres& settings) {
    auto connection = open_with_current_schema(settings);
    if (!connection) return connection.error();
    return guarded<std::unique_ptr<RejectedEvents>>([&] {
        allow_idle_transactions(**connection, settings.statement_timeout);
        return std::unique_ptr<RejectedEvents>(new RejectedEvents(std::move(*connection)));
    });
}

base::Result<std::vector<std::int64_t>> RejectedEvents::not_replayed(std::int64_t after, std::size_t limit) {
    using Ids = std::vector<std::int64_t>;
    return guarded<Ids>([&]() -> base::Result<Ids> {
        Ids ids;
        for (const auto& row : connection_->run(select_ids, after, static_cast<std::int64_t>(limit)))
            ids.push_back(row[0].as<std::int64_t>());
        return ids;
    });
}

base::Result<void> RejectedEvents::replay(std::int64_t id, const Feed& feed) {
    return guarded<void>([&]() -> base::Result<void> {
        pqxx::work transaction(connection_->native());
        const pqxx::result found = connection_->run_in(transaction, lock_event, id);
        if (found.empty()) {
            if (connection_->run_in(transaction, select_known, id).empty())
                return base::Error{
                    "no rejected record has this id: docmap-webhookd rejected list shows them"};
            return base::Error{"another process is feeding it in now"};
        }
        const auto row = found[0];
        RejectedEvent event{id,
                            row[0].as<std::string>(),
                            row[1].as<std::int32_t>(),
                            row[2].as<std::int64_t>(),
                            optional_bytes(row[3]),
                            optional_bytes(row[4]),
                            optional_time(row[5])};
        const auto fed = feed(event);
        if (!fed) return fed.error();
        connection_->run_in(transaction, update_replayed, id);
        transaction.commit();
        return {};
    });
}

} // namespace docmap::store
