// The statements of the delivery queue: claims of endpoints by instances, and their leases.
#include "simulation/database.hpp"

#include <algorithm>

namespace docmap::simulation {

Database::Kept Database::keep_alive(std::optional<Instance> name) {
    const base::SteadyTime alive_until = world_.now() + config::lease_of(scenario_.config);
    const bool known = name && alive_until_.contains(*name);
    Kept kept{known, known ? *name : ++last_instance_};
    if (conditions_.mutation == Mutation::ignore_lease && name) kept = {true, *name};
    alive_until_[kept.name] = alive_until;
    free_dead();
    return kept;
}

void Database::free_dead() {
    std::erase_if(alive_until_, [this](const auto& instance) { return instance.second < world_.now(); });
    for (auto& [webhook, endpoint] : endpoints_)
        if (endpoint.owner && !alive_until_.contains(*endpoint.owner))
            give_back(webhook, endpoint.failures, endpoint.not_before);
    std::erase_if(endpoints_, [this](const auto& endpoint) {
        return !endpoint.second.owner && rows_by_due_[endpoint.first].empty() &&
               endpoint.second.not_before.value_or(world_.wall_now()) <= world_.wall_now();
    });
}

void Database::give_back(std::size_t webhook, std::uint32_t failures,
                         std::optional<base::SystemTime> not_before) {
    Endpoint& endpoint = endpoints_.at(webhook);
    if (world_.tracing())
        world_.trace("given back w" + std::to_string(webhook) + " by " + std::to_string(*endpoint.owner));
    endpoint.owner.reset();
    endpoint.failures = failures;
    endpoint.not_before = not_before;
    const auto& rows = rows_by_due_[webhook];
    // What waits for a webhook that is gone is to end now.
    endpoint.due_at = active_[webhook] && !rows.empty() ? rows.begin()->first : world_.wall_now();
    endpoint.due_at = std::max(endpoint.due_at, not_before.value_or(endpoint.due_at));
}

std::vector<std::int64_t> Database::due_rows(std::size_t webhook, std::size_t limit, std::size_t& bytes,
                                             const std::vector<std::int64_t>& held) const {
    std::vector<std::int64_t> due;
    for (const auto& [due_at, id] : rows_by_due_[webhook]) {
        if (due.size() >= limit || due_at > world_.wall_now()) break;
        if (std::find(held.begin(), held.end(), id) != held.end()) continue;
        const std::size_t size = scenario_.events[rows_.at(id).key.event].value->size();
        if (!due.empty() && size > bytes) break;
        bytes -= std::min(bytes, size);
        due.push_back(id);
    }
    return due;
}

std::vector<Database::Claimed> Database::claim(Instance name, const ports::ClaimLimits& limits,
                                               const std::vector<std::int64_t>& held,
                                               std::optional<std::chrono::milliseconds>& next_due_in) {
    std::vector<std::pair<base::SystemTime, std::size_t>> free;
    for (const auto& [webhook, endpoint] : endpoints_)
        if (!endpoint.owner) free.emplace_back(endpoint.due_at, webhook);
    std::sort(free.begin(), free.end());
    std::vector<Claimed> claimed;
    std::size_t bytes = limits.bytes;
    for (const auto& [due_at, webhook] : free) {
        if (due_at > world_.wall_now() || claimed.size() >= limits.endpoints) {
            next_due_in = std::max(due_at - world_.wall_now(), std::chrono::milliseconds{0});
            break;
        }
        Endpoint& endpoint = endpoints_.at(webhook);
        endpoint.owner = name;
        const std::size_t limit = endpoint.failures > 0 ? 1 : limits.deliveries_per_endpoint;
        if (world_.tracing())
            world_.trace("claimed w" + std::to_string(webhook) + " for " + std::to_string(name));
        claimed.push_back({webhook, endpoint.failures, due_rows(webhook, limit, bytes, held)});
    }
    return claimed;
}

std::vector<Database::Claimed> Database::take(Instance name, const std::vector<ports::TakeRequest>& requests,
                                              std::size_t max_bytes, const std::vector<std::int64_t>& held) {
    std::vector<Claimed> taken;
    for (const ports::TakeRequest& request : requests) {
        const std::size_t webhook = *find_webhook(request.webhook_id);
        const Endpoint* const found = endpoint(webhook);
        if (found == nullptr || found->owner != name) continue;
        std::vector<std::int64_t> rows = due_rows(webhook, request.max_deliveries, max_bytes, held);
        if (world_.tracing())
            world_.trace("taken " + std::to_string(rows.size()) + " of w" + std::to_string(webhook) +
                         " for " + std::to_string(name));
        if (!rows.empty()) taken.push_back({webhook, found->failures, std::move(rows)});
    }
    return taken;
}

void Database::release(Instance name, const std::vector<ports::EndpointRelease>& releases) {
    for (const ports::EndpointRelease& release : releases) {
        const std::size_t webhook = *find_webhook(release.webhook_id);
        const Endpoint* const found = endpoint(webhook);
        if (found == nullptr || found->owner != name) continue;
        std::optional<base::SystemTime> not_before;
        if (release.pause && active_[webhook]) not_before = world_.wall_now() + *release.pause;
        give_back(webhook, release.failures, not_before);
        // Without a row to deliver it stays for as long as it is to be left alone.
        if (rows_by_due_[webhook].empty() && !not_before) endpoints_.erase(webhook);
    }
}

void Database::release_unknown(Instance name, const std::vector<std::string>& known) {
    for (auto& [webhook, endpoint] : endpoints_)
        if (endpoint.owner == name &&
            std::find(known.begin(), known.end(), scenario_.webhooks[webhook].webhook->id) == known.end())
            give_back(webhook, endpoint.failures, endpoint.not_before);
}

bool Database::end(Instance name, const std::vector<std::string>& webhook_ids) {
    std::size_t left_in_portion = 10;
    bool rows_left = false;
    for (const std::string& id : webhook_ids) {
        const std::size_t webhook = *find_webhook(id);
        const Endpoint* const found = endpoint(webhook);
        if (active_[webhook] || found == nullptr || found->owner != name) continue;
        while (!rows_by_due_[webhook].empty() && left_in_portion > 0) {
            const std::int64_t row = rows_by_due_[webhook].begin()->second;
            oracle_.on_ended(rows_.at(row).key);
            delete_row(row);
            --left_in_portion;
        }
        rows_left = rows_left || !rows_by_due_[webhook].empty();
    }
    return rows_left;
}

void Database::leave(Instance name) {
    alive_until_.erase(name);
    free_dead();
}

std::string Database::describe(const Row& row) const {
    const auto seconds = [this](base::SystemTime time) {
        return std::to_string(std::chrono::duration<double>(time - world_.wall_now()).count()) +
               " s from now";
    };
    const Endpoint* const found = endpoint(row.key.webhook);
    std::string text = "attempt " + std::to_string(row.attempt) + " due " + seconds(row.due_at);
    if (found == nullptr) return text + ", its endpoint is not queued";
    text += ", its endpoint due " + seconds(found->due_at) + ", failures " + std::to_string(found->failures);
    return text + (found->owner ? ", claimed by " + std::to_string(*found->owner) : ", claimed by nobody");
}

bool Database::owns(Instance name, std::size_t webhook, std::chrono::nanoseconds time) const {
    const Endpoint* const found = endpoint(webhook);
    if (found == nullptr) return true;
    const auto alive = alive_until_.find(name);
    return found->owner == name && alive != alive_until_.end() && world_.now() + time <= alive->second;
}

bool Database::owns_anything(Instance name) const {
    return std::any_of(endpoints_.begin(), endpoints_.end(),
                       [name](const auto& endpoint) { return endpoint.second.owner == name; });
}

} // namespace docmap::simulation
