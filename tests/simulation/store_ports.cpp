#include "simulation/store_ports.hpp"

#include <algorithm>
#include <utility>

namespace docmap::simulation {

namespace {

struct Nothing {};

std::function<void(base::Result<Nothing>)> without_value(std::function<void(base::Result<void>)> done) {
    return [done = std::move(done)](const base::Result<Nothing>& result) {
        if (result)
            done({});
        else
            done(result.error());
    };
}

/// Writes a batch and hands it back.
template<typename Row, typename Written, typename Store>
void write_batch(StoreContext& context, std::vector<Row> batch, Written done, Store store) {
    auto rows = std::make_shared<std::vector<Row>>(std::move(batch));
    context.database.call<Nothing>(
        context.life, context.mailbox,
        [rows, store] {
            store(*rows);
            return Nothing{};
        },
        without_value([rows, done = std::move(done)](base::Result<void> result) {
            done(std::move(result), std::move(*rows)); // the statement has run or never will
        }));
}

} // namespace

void SimAttemptLog::write(std::vector<core::AttemptRecord> batch, ports::WriteTry, Written done) {
    const bool all_from_partitions =
        std::none_of(batch.begin(), batch.end(),
                     [](const core::AttemptRecord& attempt) { return attempt.delivery.claim != nullptr; });
    if (context_.conditions.mutation == Mutation::commit_before_record && all_from_partitions) {
        context_.mailbox.post([done = std::move(done), batch] { done({}, batch); });
        done = [](const base::Result<void>&, const std::vector<core::AttemptRecord>&) {};
    }
    write_batch(context_, std::move(batch), std::move(done), [&context = context_](const auto& rows) {
        context.database.store_attempts(context.life, rows);
    });
}

void SimParkedLog::write(std::vector<core::ParkedDelivery> batch, ports::WriteTry, Written done) {
    write_batch(context_, std::move(batch), std::move(done), [&context = context_](const auto& rows) {
        context.database.store_parked(context.life, rows);
    });
}

void SimRejectedLog::write(std::vector<core::RejectedRecord> batch, ports::WriteTry, Written done) {
    write_batch(context_, std::move(batch), std::move(done),
                [&database = context_.database](const auto& rows) { database.store_rejected(rows); });
}

void SimRecorded::find(const std::string& topic, std::int32_t partition, std::int64_t first_offset,
                       std::size_t limit, Found done) {
    struct Answer {
        std::vector<core::RecordedDelivery> rows;
        base::SteadyTime read_at;
    };
    context_.database.call<Answer>(
        context_.life, context_.mailbox,
        [&context = context_, topic, partition, first_offset, limit] {
            return Answer{context.database.recorded(topic, partition, first_offset, limit),
                          context.world.now()};
        },
        [&context = context_, index = context_.log.index_of(topic, partition),
         done = std::move(done)](base::Result<Answer> answer) {
            if (!answer) {
                done(answer.error());
                return;
            }
            context.guard_times.try_emplace(index, answer->read_at);
            done(std::move(answer->rows));
        });
}

void SimSubscriptions::load(std::vector<std::string> user_ids, Loaded done) {
    context_.database.call<std::vector<ports::UserSubscriptions>>(
        context_.life, context_.mailbox,
        [&database = context_.database, user_ids = std::move(user_ids)] {
            std::vector<ports::UserSubscriptions> users;
            for (const std::string& user_id : user_ids)
                users.push_back({user_id, database.subscriptions(user_id)});
            return users;
        },
        std::move(done));
}

void SimQueue::keep_alive(Done<bool> done) {
    context_.database.call<Database::Kept>(
        context_.life, context_.mailbox,
        [this, &database = context_.database] {
            return database.keep_alive(name_ == 0 ? std::nullopt : std::optional(name_));
        },
        [this, done = std::move(done)](base::Result<Database::Kept> kept) {
            if (!kept) {
                done(kept.error());
                return;
            }
            const bool is_first = name_ == 0;
            name_ = kept->name;
            done(kept->kept || is_first);
        });
}

ports::ClaimedEndpoint SimQueue::answer(const Database::Claimed& claimed) {
    const core::Webhook& webhook = *context_.scenario.webhooks[claimed.webhook].webhook;
    ports::ClaimedEndpoint endpoint{webhook.id.text(), webhook.user_id, claimed.failures, {}};
    for (const std::int64_t id : claimed.rows) {
        const Database::Row& row = context_.database.row(id);
        core::EventPtr event = context_.log.make_event(row.key.event);
        Origin& origin = context_.origins[event->body().data()];
        origin = {Origin::Kind::queue, row.key.event,       0, claimed.webhook, id,
                  row.attempt,         context_.world.now()};
        endpoint.deliveries.push_back({id, std::move(event), webhook.id.text(), row.attempt});
    }
    return endpoint;
}

void SimQueue::claim(ports::ClaimLimits limits, std::vector<std::int64_t> held, Done<ports::Claim> done) {
    context_.oracle.require(held.size() <= context_.scenario.config.queue.max_claimed_events,
                            "queue.max_claimed_events exceeded: " + std::to_string(held.size()));
    context_.database.call<ports::Claim>(
        context_.life, context_.mailbox,
        [this, name = name_, limits, held = std::move(held)] {
            ports::Claim claim;
            for (const auto& claimed : context_.database.claim(name, limits, held, claim.next_due_in))
                claim.endpoints.push_back(answer(claimed));
            return claim;
        },
        std::move(done));
}

void SimQueue::take(std::vector<ports::TakeRequest> requests, std::size_t max_bytes,
                    std::vector<std::int64_t> held, Done<std::vector<ports::ClaimedEndpoint>> done) {
    context_.oracle.require(held.size() <= context_.scenario.config.queue.max_claimed_events,
                            "queue.max_claimed_events exceeded: " + std::to_string(held.size()));
    context_.database.call<std::vector<ports::ClaimedEndpoint>>(
        context_.life, context_.mailbox,
        [this, name = name_, requests = std::move(requests), max_bytes, held = std::move(held)] {
            std::vector<ports::ClaimedEndpoint> taken;
            for (const auto& claimed : context_.database.take(name, requests, max_bytes, held))
                taken.push_back(answer(claimed));
            return taken;
        },
        std::move(done));
}

void SimQueue::release_unknown(std::vector<std::string> known, Done<void> done) {
    context_.database.call<Nothing>(
        context_.life, context_.mailbox,
        [this, name = name_, known = std::move(known)] {
            context_.database.release_unknown(name, known);
            return Nothing{};
        },
        without_value(std::move(done)));
}

void SimQueue::release(std::vector<ports::EndpointRelease> releases, Done<void> done) {
    context_.database.call<Nothing>(
        context_.life, context_.mailbox,
        [this, name = name_, releases = std::move(releases)] {
            context_.database.release(name, releases);
            return Nothing{};
        },
        without_value(std::move(done)));
}

void SimQueue::end(std::vector<std::string> webhook_ids, Done<bool> done) {
    context_.database.call<bool>(
        context_.life, context_.mailbox,
        [this, name = name_, webhook_ids = std::move(webhook_ids)] {
            return context_.database.end(name, webhook_ids);
        },
        std::move(done));
}

void SimQueue::leave(Done<void> done) {
    context_.database.call<Nothing>(
        context_.life, context_.mailbox,
        [this, name = name_] {
            context_.database.leave(name);
            return Nothing{};
        },
        without_value(std::move(done)));
}

} // namespace docmap::simulation
