#include "api/delivery_calls.hpp"

#include "api/cursor.hpp"
#include "api/views.hpp"
#include "core/event.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace docmap::api {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::int64_t max_limit = 100;
constexpr std::int64_t default_limit = 50;
constexpr std::size_t max_id_bytes = 512; ///< 128 characters of at most four bytes

} // namespace

ApiResult<ports::DeliveryFilter> read_delivery_filter(const QueryParameters& query, std::string user_id) {
    ports::DeliveryFilter filter;
    filter.user_id = std::move(user_id);

    ApiResult<std::optional<std::string>> webhook_id = query.text("webhookId", max_id_bytes);
    if (!webhook_id) return webhook_id.error();
    filter.webhook_id = std::move(*webhook_id);

    ApiResult<std::optional<std::string>> extraction_id = query.text("extractionId", max_id_bytes);
    if (!extraction_id) return extraction_id.error();
    filter.extraction_id = std::move(*extraction_id);

    std::vector<std::string_view> event_names;
    event_names.reserve(core::all_event_types.size());
    for (const core::EventType type : core::all_event_types)
        event_names.push_back(core::name_of(type));
    const ApiResult<std::optional<std::size_t>> event = query.one_of("event", event_names);
    if (!event) return event.error();
    if (*event) filter.event = event_names[**event];

    const ApiResult<std::optional<std::size_t>> status = query.one_of("status", {"success", "failed"});
    if (!status) return status.error();
    if (*status) filter.success = **status == 0;

    const ApiResult<std::optional<std::int64_t>> limit = query.number("limit", 1, max_limit);
    if (!limit) return limit.error();
    filter.limit = static_cast<std::size_t>(limit->value_or(default_limit));

    if (const std::optional<std::string> text = query.find("cursor")) {
        std::optional<Cursor> cursor = decode_cursor(*text);
        if (!cursor) return validation_error("cursor", "must be the nextCursor of an earlier answer");
        filter.after.emplace(cursor->created_at, std::move(cursor->id));
    }
    return filter;
}

asio::awaitable<ApiResult<Response>> DeliveryCalls::list(const Call& call) {
    ApiResult<ports::DeliveryFilter> filter = read_delivery_filter(call.query, call.user_id);
    if (!filter) co_return filter.error();
    const std::size_t page = filter->limit;
    filter->limit = page + 1; // one more tells whether there is a next page
    const ports::RepositoryResult<std::vector<ports::DeliveryView>> deliveries =
        co_await deliveries_.list(std::move(*filter));
    if (!deliveries) co_return from_repository(deliveries.error());

    const bool has_more = deliveries->size() > page;
    json::array data;
    for (std::size_t i = 0; i < deliveries->size() && i < page; ++i)
        data.emplace_back(to_json((*deliveries)[i]));
    json::object body;
    body["data"] = std::move(data);
    body["hasMore"] = has_more;
    body["nextCursor"] = nullptr;
    if (has_more) {
        const ports::DeliveryView& last = (*deliveries)[page - 1];
        body["nextCursor"] = encode_cursor({last.created_at, last.id});
    }
    co_return json_response(http::status::ok, body);
}

} // namespace docmap::api
