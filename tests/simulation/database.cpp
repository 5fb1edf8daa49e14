#include "simulation/database.hpp"

#include "base/invariant.hpp"

#include <algorithm>

namespace docmap::simulation {

using namespace std::chrono_literals;

Database::Database(World& world, const Scenario& scenario, Conditions& conditions, KafkaLog& log,
                   Oracle& oracle)
    : world_(world), scenario_(scenario), conditions_(conditions), log_(log), oracle_(oracle),
      random_(world.random("database")), active_(scenario.webhooks.size()),
      rows_by_due_(scenario.webhooks.size()) {}

Database::Fate Database::draw_fate() {
    const Chances chances = conditions_.chances(world_.now());
    Fate fate;
    fate.until_effect = random_.between(100us, 2ms);
    fate.until_answer = random_.between(50us, 1ms);
    if (random_.chance(chances.database_slow)) fate.until_effect = random_.between(1ms, 3s);
    if (random_.chance(chances.database_slow)) fate.until_answer = random_.between(1ms, 1s);
    fate.fails = random_.chance(chances.database_fails);
    fate.answer_lost = random_.chance(chances.database_answer_lost);
    fate.outlives_caller = random_.chance(0.5);
    return fate;
}

std::optional<std::size_t> Database::find_webhook(const std::string& id) const {
    // Webhooks are called w0, w1, w2, …
    const std::size_t number = std::stoul(id.substr(1));
    if (number >= active_.size()) return std::nullopt;
    return number;
}

void Database::create_webhook(std::size_t webhook) {
    active_[webhook] = true;
    told_(webhook, false);
}

void Database::end_webhook(std::size_t webhook) {
    if (!active_[webhook]) return;
    active_[webhook] = false;
    oracle_.on_webhook_ended(webhook);
    const auto found = endpoints_.find(webhook);
    if (found != endpoints_.end()) {
        found->second.due_at = world_.wall_now();
        found->second.not_before.reset();
    }
    told_(webhook, true);
}

std::vector<core::WebhookPtr> Database::subscriptions(const std::string& user_id) const {
    std::vector<core::WebhookPtr> found;
    for (std::size_t webhook = 0; webhook < active_.size(); ++webhook)
        if (active_[webhook] && scenario_.webhooks[webhook].webhook->user_id == user_id)
            found.push_back(scenario_.webhooks[webhook].webhook);
    return found;
}

DeliveryKey Database::key_of(const core::Delivery& delivery) const {
    return {log_.event_of(delivery.event->record()), *find_webhook(delivery.webhook->id.text())};
}

void Database::insert_row(DeliveryKey key, std::uint16_t attempt, base::SystemTime due_at, bool late) {
    if (!rows_by_key_.try_emplace(key, last_row_ + 1).second) return;
    ++last_row_;
    rows_[last_row_] = {key, attempt, due_at};
    rows_by_due_[key.webhook].emplace(due_at, last_row_);
    oracle_.on_queued(key, attempt, late);
}

void Database::advance_row(std::int64_t id, std::uint16_t attempt, base::SystemTime due_at) {
    Row& row = rows_.at(id);
    oracle_.on_row_changed(row.key, row.attempt, attempt);
    rows_by_due_[row.key.webhook].erase({row.due_at, id});
    row.attempt = attempt;
    row.due_at = due_at;
    rows_by_due_[row.key.webhook].emplace(due_at, id);
}

void Database::delete_row(std::int64_t id) {
    const Row& row = rows_.at(id);
    rows_by_due_[row.key.webhook].erase({row.due_at, id});
    rows_by_key_.erase(row.key);
    rows_.erase(id);
}

void Database::make_due(std::size_t webhook, base::SystemTime due_at,
                        std::optional<base::SystemTime> not_before, std::uint32_t failures) {
    const auto [found, is_new] = endpoints_.try_emplace(webhook);
    Endpoint& endpoint = found->second;
    endpoint.not_before = std::max(endpoint.not_before, not_before); // no value is below any value
    endpoint.due_at = is_new ? due_at : std::min(endpoint.due_at, due_at);
    endpoint.due_at = std::max(endpoint.due_at, endpoint.not_before.value_or(endpoint.due_at));
    endpoint.failures = std::max(endpoint.failures, failures);
}

void Database::store_attempts(const LifePtr& life, const std::vector<core::AttemptRecord>& batch) {
    for (const core::AttemptRecord& attempt : batch) {
        if (!attempt_ids_.insert(attempt.id).second) continue; // with its effects
        const DeliveryKey key = key_of(attempt.delivery);
        std::uint16_t& highest = highest_attempt_[key];
        const bool is_new =
            attempt.delivery.attempt > highest || conditions_.mutation == Mutation::reset_schedule;
        highest = std::max(highest, attempt.delivery.attempt);
        oracle_.on_attempt_stored(key, attempt, life);
        if (attempt.deactivates) end_webhook(key.webhook);
        if (attempt.delivery.claim) {
            change_claimed(attempt);
        } else if (attempt.next_attempt_at && is_new && conditions_.mutation != Mutation::drop_next_try) {
            const auto next = static_cast<std::uint16_t>(attempt.delivery.attempt + 1);
            const auto waiting = rows_by_key_.find(key);
            if (waiting == rows_by_key_.end())
                insert_row(key, next, *attempt.next_attempt_at, false);
            else if (rows_.at(waiting->second).attempt < next)
                advance_row(waiting->second, next, *attempt.next_attempt_at);
        }
        if (attempt.next_attempt_at) make_due(key.webhook, *attempt.next_attempt_at, std::nullopt, 0);
    }
}

void Database::change_claimed(const core::AttemptRecord& attempt) {
    const auto found = rows_.find(attempt.delivery.claim->row_id);
    if (found == rows_.end()) return;
    const auto& [id, row] = *found;
    // A success ends the delivery whatever attempt it waits for.
    if (row.attempt != attempt.delivery.attempt && !attempt.success &&
        conditions_.mutation != Mutation::unconditional_update)
        return;
    if (attempt.next_attempt_at)
        advance_row(id, static_cast<std::uint16_t>(attempt.delivery.attempt + 1), *attempt.next_attempt_at);
    else
        delete_row(id);
}

void Database::store_parked(const LifePtr& life, const std::vector<core::ParkedDelivery>& batch) {
    for (const core::ParkedDelivery& parked : batch) {
        const DeliveryKey key = key_of(parked.delivery);
        // It may have been stored, claimed, attempted and deleted since a first try whose answer was lost, or
        // another instance may have attempted it.
        if (highest_attempt_.contains(key)) continue;
        if (conditions_.mutation == Mutation::drop_parked_row && random_.chance(0.2)) continue;
        insert_row(key, parked.delivery.attempt, parked.parked_at,
                   oracle_.late(life, parked.delivery.event->record().assignment()));
        make_due(key.webhook, parked.parked_at, parked.not_before, parked.not_before ? 1 : 0);
    }
}

void Database::store_rejected(const std::vector<core::RejectedRecord>& batch) {
    for (const core::RejectedRecord& rejected : batch) {
        const std::size_t event = log_.event_of(*rejected.record);
        if (conditions_.mutation == Mutation::lose_rejected_record && random_.chance(0.5)) continue;
        if (rejected_.insert(event).second) oracle_.on_rejected_stored(event);
    }
}

std::vector<core::RecordedDelivery> Database::recorded(const std::string& topic, std::int32_t partition,
                                                       std::int64_t first_offset, std::size_t limit) const {
    if (conditions_.mutation == Mutation::skip_replay_guard) return {};
    std::set<std::pair<std::int64_t, DeliveryKey>> found;
    const std::size_t index = log_.index_of(topic, partition);
    const auto add = [&](DeliveryKey key) {
        if (scenario_.events[key.event].partition != index) return;
        const std::int64_t offset = log_.offset_of(key.event);
        if (offset >= first_offset) found.emplace(offset, key);
    };
    for (const auto& [key, highest] : highest_attempt_)
        add(key);
    for (const auto& [key, row] : rows_by_key_)
        add(key);
    std::vector<core::RecordedDelivery> rows;
    for (const auto& [offset, key] : found) {
        if (rows.size() == limit) break;
        rows.push_back(
            {offset, scenario_.webhooks[key.webhook].webhook->id.text(), log_.body_hash(key.event)});
    }
    return rows;
}

const Database::Row* Database::waiting(DeliveryKey key) const {
    const auto found = rows_by_key_.find(key);
    return found == rows_by_key_.end() ? nullptr : &rows_.at(found->second);
}

const Database::Endpoint* Database::endpoint(std::size_t webhook) const {
    const auto found = endpoints_.find(webhook);
    return found == endpoints_.end() ? nullptr : &found->second;
}

} // namespace docmap::simulation
