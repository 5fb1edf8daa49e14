#include "store/delivery_repository.hpp"

#include "store/array_literal.hpp"
#include "store/repository_call.hpp"
#include "store/webhook_rows.hpp"

#include <optional>
#include <utility>

namespace docmap::store {

namespace {

using Views = std::vector<ports::DeliveryView>;

// Reads the primary key backwards, from the cursor on. A filter that is not set is null, and disappears when
// the statement is planned.
constexpr Statement select_deliveries = {
    "select_deliveries",
    "SELECT id, webhook_id, extraction_id, event, event_id, url, success, http_status, error, duration_ms, "
    "attempt, "
    "(extract(epoch FROM created_at) * 1000)::bigint, (extract(epoch FROM next_attempt_at) * 1000)::bigint "
    "FROM deliveries WHERE user_id = $1 "
    "AND ($2::text IS NULL OR webhook_id = $2) AND ($3::text IS NULL OR event = $3) "
    "AND ($4::boolean IS NULL OR success = $4) AND ($5::text IS NULL OR extraction_id = $5) "
    "AND ($6::float8 IS NULL OR (created_at, id) < (to_timestamp($6), $7::text)) "
    "ORDER BY created_at DESC, id DESC LIMIT $8"};

const char* or_null(const std::optional<std::string>& text) {
    return text ? text->c_str() : nullptr;
}

const char* or_null(const std::optional<bool>& flag) {
    if (!flag) return nullptr;
    return *flag ? "t" : "f";
}

bool storable(const ports::DeliveryFilter& filter) {
    for (const auto* text : {&filter.webhook_id, &filter.event, &filter.extraction_id})
        if (*text && !is_storable(**text)) return false;
    return !filter.after || is_storable(filter.after->second);
}

template<typename Row>
ports::DeliveryView read(const Row& row, const std::string& user_id) {
    ports::DeliveryView view;
    view.id = row[0].template as<std::string>();
    view.user_id = user_id;
    view.webhook_id = row[1].template as<std::string>();
    view.extraction_id = row[2].template as<std::string>();
    view.event = row[3].template as<std::string>();
    view.event_id = row[4].template as<std::string>();
    view.url = row[5].template as<std::string>();
    view.success = row[6].template as<bool>();
    if (!row[7].is_null()) view.http_status = row[7].template as<int>();
    if (!row[8].is_null()) view.error = row[8].template as<std::string>();
    view.duration_ms = row[9].template as<std::int64_t>();
    view.attempt = row[10].template as<int>();
    view.created_at = from_milliseconds(row[11].template as<std::int64_t>());
    if (!row[12].is_null()) view.next_attempt_at = from_milliseconds(row[12].template as<std::int64_t>());
    return view;
}

Views select(Connection& connection, const ports::DeliveryFilter& filter) {
    Views views;
    if (!storable(filter)) return views;
    std::optional<std::string> after_time;
    std::string after_id;
    if (filter.after) {
        after_time = std::to_string(filter.after->first.time_since_epoch().count()) + "e-3";
        after_id = filter.after->second;
    }
    for (const auto& row :
         connection.run(select_deliveries, filter.user_id, or_null(filter.webhook_id), or_null(filter.event),
                        or_null(filter.success), or_null(filter.extraction_id), or_null(after_time), after_id,
                        filter.limit))
        views.push_back(read(row, filter.user_id));
    return views;
}

} // namespace

ports::RepositoryAwaitable<Views> PostgresDeliveryRepository::list(ports::DeliveryFilter filter) {
    auto work = [filter = std::move(filter)](Connection& connection) -> ports::RepositoryResult<Views> {
        return select(connection, filter);
    };
    return repository_call<Views>(queries_, std::move(work));
}

} // namespace docmap::store
