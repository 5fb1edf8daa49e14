#include "store/replay_queue.hpp"

#include "store/array_literal.hpp"
#include "store/one_connection.hpp"
#include "store/queue_inserts.hpp"
#include "store/random.hpp"
#include "store/replay_states.hpp"
#include "store/webhook_rows.hpp"

#include <utility>

namespace docmap::store {

namespace {

constexpr Statement select_alive = {"select_instance_alive",
                                    "SELECT EXISTS (SELECT 1 FROM instances WHERE alive_until > now())"};

constexpr Statement select_webhook = {
    "select_replay_webhook",
    "SELECT id, user_id, array_to_string(events, ','), "
    "(extract(epoch FROM created_at) * 1000)::bigint, active FROM webhooks WHERE id = $1"};

constexpr Statement select_webhooks = {
    "select_replay_webhooks",
    "SELECT id, user_id, array_to_string(events, ','), (extract(epoch FROM created_at) * 1000)::bigint "
    "FROM webhooks WHERE active AND user_id = ANY ($1::text[]) ORDER BY user_id, created_at, id"};

constexpr Statement delete_old = {"delete_old_replays",
                                  "DELETE FROM replays WHERE started_at < now() - interval '30 days'"};

constexpr Statement insert_replay = {"insert_replay", "INSERT INTO replays (id, filter, counts) "
                                                      "VALUES ($1, $2::jsonb, $3::jsonb)"};

constexpr Statement insert_positions = {
    "insert_replay_positions",
    "INSERT INTO replay_positions (replay_id, topic, partition, first_offset, next_offset, end_offset) "
    "SELECT $1, unnest($2::text[]), unnest($3::integer[]), unnest($4::bigint[]), unnest($5::bigint[]), "
    "unnest($6::bigint[])"};

constexpr Statement select_replay = {
    "select_replay", "SELECT filter::text, counts::text, (extract(epoch FROM finished_at) * 1000)::bigint "
                     "FROM replays WHERE id = $1"};

constexpr Statement select_positions = {
    "select_replay_positions", "SELECT topic, partition, first_offset, next_offset, end_offset "
                               "FROM replay_positions WHERE replay_id = $1 ORDER BY topic, partition"};

constexpr Statement lock_replay = {
    "lock_replay", "SELECT pg_try_advisory_lock(hashtextextended('docmap:replay:' || $1::text, 0))"};

constexpr Statement lock_queueing = {"lock_replay_queueing",
                                     "SELECT pg_advisory_xact_lock(hashtextextended('docmap:replays', 0))"};

constexpr Statement update_counts = {"update_replay_counts",
                                     "UPDATE replays SET counts = $2::jsonb WHERE id = $1"};

constexpr Statement update_positions = {
    "update_replay_positions", "UPDATE replay_positions p SET next_offset = n.next_offset FROM ("
                               "  SELECT unnest($2::text[]) AS topic, unnest($3::integer[]) AS partition, "
                               "    unnest($4::bigint[]) AS next_offset) n "
                               "WHERE p.replay_id = $1 AND p.topic = n.topic AND p.partition = n.partition "
                               "AND p.next_offset <> n.next_offset"};

constexpr Statement update_finished = {"finish_replay",
                                       "UPDATE replays SET finished_at = now() WHERE id = $1"};

/// The payload says that the queue has something due; see webhook_listener.hpp.
constexpr Statement notify_queue = {"notify_queue",
                                    "SELECT pg_notify('docmap_webhooks', '{\"queue\": true}')"};

base::Error unknown_replay(const std::string& id) {
    return {"no replay has the id \"" + id +
            "\": the id is printed when a replay starts, and is kept for 30 days from then on"};
}

template<typename Row>
core::ReplayWebhook read_webhook(const Row& row) {
    auto webhook = std::make_shared<core::Webhook>();
    webhook->id = core::WebhookId(row[0].template as<std::string>());
    webhook->user_id = row[1].template as<std::string>();
    webhook->events = parse_events(row[2].template as<std::string>());
    return {std::move(webhook), from_milliseconds(row[3].template as<std::int64_t>())};
}

base::Result<StoredReplay> load_over(Connection& connection, const std::string& id) {
    if (!is_storable(id)) return unknown_replay(id);
    const pqxx::result found = connection.run(select_replay, id);
    if (found.empty()) return unknown_replay(id);
    StoredReplay replay;
    replay.id = id;
    const auto selection = core::parse_replay_selection(found[0][0].as<std::string>());
    if (!selection)
        return base::Error{"the filter of replay " + id + " cannot be read: " + selection.error().message};
    const auto counts = core::parse_replay_counts(found[0][1].as<std::string>());
    if (!counts)
        return base::Error{"the counts of replay " + id + " cannot be read: " + counts.error().message};
    replay.selection = *selection;
    replay.counts = *counts;
    if (!found[0][2].is_null()) replay.finished_at = from_milliseconds(found[0][2].as<std::int64_t>());
    for (const auto& row : connection.run(select_positions, id))
        replay.positions.push_back({row[0].as<std::string>(), row[1].as<std::int32_t>(),
                                    row[2].as<std::int64_t>(), row[3].as<std::int64_t>(),
                                    row[4].as<std::int64_t>()});
    return replay;
}

/// For as long as the connection lives.
bool lock_over(Connection& connection, const std::string& id) {
    return connection.run(lock_replay, id)[0][0].as<bool>();
}

/// The candidates that are to be queued; counts the others.
std::vector<core::Delivery> choose(Connection& connection, pqxx::transaction_base& transaction,
                                   const ReplayBatch& batch, core::ReplayCounts& counts) {
    std::vector<core::Delivery> chosen;
    if (batch.candidates.empty()) return chosen;
    const DeliveryStates states = find_states(connection, transaction, batch.candidates);
    for (const core::ReplayCandidate& candidate : batch.candidates)
        if (core::is_chosen(candidate, states.of(candidate), batch.status, counts))
            chosen.push_back({candidate.event, candidate.webhook});
    return chosen;
}

std::size_t insert_chosen(Connection& connection, pqxx::transaction_base& transaction,
                          std::span<const core::Delivery> chosen) {
    if (chosen.empty()) return 0;
    const base::SystemTime now = base::system_now();
    std::vector<QueueRow> rows;
    EndpointChanges changes;
    rows.reserve(chosen.size());
    for (const core::Delivery& delivery : chosen) {
        rows.push_back({&delivery, delivery.attempt, now});
        add_endpoint_change(changes, *delivery.webhook, now);
    }
    const std::size_t inserted = insert_queue_rows(connection, transaction, rows, Unless::nothing);
    change_endpoints(connection, transaction, changes);
    connection.run_in(transaction, notify_queue);
    return inserted;
}

void store_positions(Connection& connection, pqxx::transaction_base& transaction, const std::string& id,
                     std::span<const ReplayPosition> positions) {
    std::vector<std::string>& text = connection.buffers(3);
    ArrayLiteral topic(text[0]), partition(text[1]), next(text[2]);
    for (const ReplayPosition& position : positions) {
        topic.text(position.topic);
        partition.integer(position.partition);
        next.integer(position.next);
    }
    for (ArrayLiteral* column : {&topic, &partition, &next})
        column->close();
    connection.run_in(transaction, update_positions, id, text[0], text[1], text[2]);
}

std::string begin_over(Connection& connection, const core::ReplaySelection& selection,
                       std::span<const ReplayPosition> positions) {
    const std::string id = random_id("replay-");
    pqxx::work transaction(connection.native());
    connection.run_in(transaction, delete_old);
    connection.run_in(transaction, insert_replay, id, core::to_json(selection),
                      core::to_json(core::ReplayCounts{}));
    std::vector<std::string>& text = connection.buffers(5);
    ArrayLiteral topic(text[0]), partition(text[1]), first(text[2]), next(text[3]), end(text[4]);
    for (const ReplayPosition& position : positions) {
        topic.text(position.topic);
        partition.integer(position.partition);
        first.integer(position.first);
        next.integer(position.next);
        end.integer(position.end);
    }
    for (ArrayLiteral* column : {&topic, &partition, &first, &next, &end})
        column->close();
    connection.run_in(transaction, insert_positions, id, text[0], text[1], text[2], text[3], text[4]);
    transaction.commit();
    return id;
}

} // namespace

base::Result<std::unique_ptr<ReplayQueue>> ReplayQueue::open(const config::Postgres& settings) {
    auto connection = open_with_current_schema(settings);
    if (!connection) return connection.error();
    return std::unique_ptr<ReplayQueue>(new ReplayQueue(std::move(*connection)));
}

base::Result<bool> ReplayQueue::instance_is_alive() {
    return guarded<bool>(
        [&]() -> base::Result<bool> { return connection_->run(select_alive)[0][0].as<bool>(); });
}

base::Result<std::optional<FoundWebhook>> ReplayQueue::find_webhook(const std::string& id) {
    using Found = std::optional<FoundWebhook>;
    return guarded<Found>([&]() -> base::Result<Found> {
        if (!is_storable(id)) return Found();
        const pqxx::result rows = connection_->run(select_webhook, id);
        if (rows.empty()) return Found();
        return Found(FoundWebhook{read_webhook(rows[0]), rows[0][4].as<bool>()});
    });
}

base::Result<std::vector<core::ReplayWebhook>>
ReplayQueue::webhooks_of(std::span<const std::string> user_ids) {
    using Found = std::vector<core::ReplayWebhook>;
    return guarded<Found>([&]() -> base::Result<Found> {
        Found found;
        for (const auto& row : connection_->run(select_webhooks, text_array(user_ids)))
            found.push_back(read_webhook(row));
        return found;
    });
}

base::Result<StoredReplay> ReplayQueue::begin(const core::ReplaySelection& selection,
                                              std::span<const ReplayPosition> positions) {
    return guarded<StoredReplay>([&]() -> base::Result<StoredReplay> {
        const std::string id = begin_over(*connection_, selection, positions);
        return resume(id);
    });
}

base::Result<StoredReplay> ReplayQueue::load(const std::string& id) {
    return guarded<StoredReplay>([&] { return load_over(*connection_, id); });
}

base::Result<StoredReplay> ReplayQueue::resume(const std::string& id) {
    return guarded<StoredReplay>([&]() -> base::Result<StoredReplay> {
        // Locked before it is read: what is read stays true.
        if (is_storable(id) && !lock_over(*connection_, id))
            return base::Error{"replay " + id + " is running in another process: wait until that has ended"};
        auto replay = load_over(*connection_, id);
        if (replay && replay->finished_at)
            return base::Error{"replay " + id + " was finished at " +
                               base::format_iso8601(*replay->finished_at) +
                               ": there is nothing left to go on with"};
        return replay;
    });
}

base::Result<core::ReplayCounts> ReplayQueue::preview(const ReplayBatch& batch) {
    return guarded<core::ReplayCounts>([&]() -> base::Result<core::ReplayCounts> {
        core::ReplayCounts counts = batch.counts;
        pqxx::nontransaction autocommit(connection_->native());
        counts.queued += choose(*connection_, autocommit, batch, counts).size();
        return counts;
    });
}

base::Result<core::ReplayCounts> ReplayQueue::queue(const std::string& id, const ReplayBatch& batch,
                                                    std::span<const ReplayPosition> positions) {
    return guarded<core::ReplayCounts>([&]() -> base::Result<core::ReplayCounts> {
        core::ReplayCounts counts = batch.counts;
        pqxx::work transaction(connection_->native());
        if (!batch.candidates.empty()) connection_->run_in(transaction, lock_queueing);
        const std::vector<core::Delivery> chosen = choose(*connection_, transaction, batch, counts);
        const std::size_t inserted = insert_chosen(*connection_, transaction, chosen);
        counts.queued += inserted;
        counts.waiting += chosen.size() - inserted; // a daemon was faster
        store_positions(*connection_, transaction, id, positions);
        connection_->run_in(transaction, update_counts, id, core::to_json(counts));
        transaction.commit();
        return counts;
    });
}

base::Result<void> ReplayQueue::finish(const std::string& id) {
    return guarded<void>([&]() -> base::Result<void> {
        connection_->run(update_finished, id);
        return {};
    });
}

} // namespace docmap::store
