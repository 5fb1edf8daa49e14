#include "store/instances.hpp"

#include "store/array_literal.hpp"

namespace docmap::store {

namespace {

constexpr Statement extend = {
    "extend_instance",
    "UPDATE instances SET alive_until = now() + $2::bigint * interval '1 millisecond' WHERE id = $1"};

constexpr Statement enter = {
    "enter_instance",
    "INSERT INTO instances (id, alive_until) VALUES ($1, now() + $2::bigint * interval '1 millisecond') "
    "ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until"};

// One that is extending its life right now is locked, and not dead.
constexpr Statement delete_dead = {
    "delete_dead_instances", "DELETE FROM instances WHERE id IN ("
                             "  SELECT id FROM instances WHERE alive_until < now() FOR UPDATE SKIP LOCKED)"};

constexpr Statement delete_own = {"delete_instance", "DELETE FROM instances WHERE id = $1"};

// The dead are found first and then named: an endpoint that a living instance claims meanwhile does not match
// them. A freed endpoint is due when it was: at worst it is claimed once with nothing to do.
constexpr Statement free_orphans = {
    "free_orphaned_endpoints",
    "WITH orphan AS MATERIALIZED ("
    "  SELECT webhook_id FROM queued_endpoints WHERE owner = ANY (ARRAY("
    "    SELECT DISTINCT owner FROM queued_endpoints e WHERE owner IS NOT NULL "
    "    AND NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = e.owner))) "
    "  ORDER BY webhook_id FOR UPDATE) "
    "UPDATE queued_endpoints e SET owner = NULL, due_at = greatest(e.due_at, e.not_before) "
    "FROM orphan WHERE e.webhook_id = orphan.webhook_id"};

constexpr Statement free_others = {
    "free_lost_endpoints",
    "WITH lost AS MATERIALIZED ("
    "  SELECT webhook_id FROM queued_endpoints WHERE owner = $1 AND webhook_id <> ALL ($2::text[]) "
    "  ORDER BY webhook_id FOR UPDATE) "
    "UPDATE queued_endpoints e SET owner = NULL, due_at = greatest(e.due_at, e.not_before) "
    "FROM lost WHERE e.webhook_id = lost.webhook_id"};

} // namespace

bool extend_life(Connection& connection, const std::string& id, std::chrono::milliseconds lease) {
    return connection.run(extend, id, lease.count()).affected_rows() > 0;
}

void enter_instance(Connection& connection, const std::string& id, std::chrono::milliseconds lease) {
    connection.run(enter, id, lease.count());
}

void free_dead_claims(Connection& connection) {
    // The second statement sees all that the dead had claimed: a claim holds a lock on its instance's row,
    // for which the first one waits or which it skips.
    pqxx::work transaction(connection.native());
    connection.run_in(transaction, delete_dead);
    connection.run_in(transaction, free_orphans);
    transaction.commit();
}

void free_lost_claims(Connection& connection, const std::string& id, const std::vector<std::string>& known) {
    connection.run(free_others, id, text_array(known));
}

void leave_instances(Connection& connection, const std::string& id) {
    pqxx::work transaction(connection.native());
    connection.run_in(transaction, delete_own, id);
    connection.run_in(transaction, free_others, id, "{}");
    transaction.commit();
}

} // namespace docmap::store
