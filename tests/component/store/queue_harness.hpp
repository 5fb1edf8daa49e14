// An instance that works with the delivery queue, for tests that run one call after the other.
#pragma once

#include "harness.hpp"
#include "rows.hpp"

#include <string>
#include <vector>

namespace docmap::test {

class QueueInstance {
  public:
    explicit QueueInstance(const config::Postgres& postgres,
                           std::chrono::milliseconds lease = std::chrono::seconds{30})
        : instance_(postgres, lease) {}

    /// Waits for the connections and enters the living.
    bool start() { return instance_.become_ready() && keep_alive(); }

    Instance& instance() { return instance_; }

    bool keep_alive() {
        return instance_.ask<bool>([](auto& queue, auto done) { queue.keep_alive(std::move(done)); }).value();
    }
    base::Result<ports::Claim> try_claim(ports::ClaimLimits limits = {100, 100, 1U << 30U},
                                         std::vector<std::int64_t> held = {}) {
        return instance_.ask<ports::Claim>(
            [&](auto& queue, auto done) { queue.claim(limits, std::move(held), std::move(done)); });
    }
    ports::Claim claim(ports::ClaimLimits limits = {100, 100, 1U << 30U},
                       std::vector<std::int64_t> held = {}) {
        return try_claim(limits, std::move(held)).value();
    }
    std::vector<ports::ClaimedEndpoint> take(std::vector<ports::TakeRequest> requests,
                                             std::size_t max_bytes = 1U << 30U,
                                             std::vector<std::int64_t> held = {}) {
        return instance_
            .ask<std::vector<ports::ClaimedEndpoint>>([&](auto& queue, auto done) {
                queue.take(std::move(requests), max_bytes, std::move(held), std::move(done));
            })
            .value();
    }
    void release_unknown(std::vector<std::string> known) {
        instance_
            .ask<void>(
                [&](auto& queue, auto done) { queue.release_unknown(std::move(known), std::move(done)); })
            .value();
    }
    void release(std::vector<ports::EndpointRelease> releases) {
        instance_
            .ask<void>([&](auto& queue, auto done) { queue.release(std::move(releases), std::move(done)); })
            .value();
    }
    bool end(std::vector<std::string> webhook_ids) {
        return instance_
            .ask<bool>([&](auto& queue, auto done) { queue.end(std::move(webhook_ids), std::move(done)); })
            .value();
    }
    void leave() {
        instance_.ask<void>([](auto& queue, auto done) { queue.leave(std::move(done)); }).value();
    }
    std::string park(std::vector<core::ParkedDelivery> batch,
                     ports::WriteTry write_try = ports::WriteTry::first) {
        return instance_.write(instance_.store().parked_log(), std::move(batch), write_try);
    }
    std::string write(std::vector<core::AttemptRecord> batch,
                      ports::WriteTry write_try = ports::WriteTry::first) {
        return instance_.write(instance_.store().attempt_log(), std::move(batch), write_try);
    }

  private:
    Instance instance_;
};

/// Stores an active webhook.
inline void add_webhook(const TestDatabase& database, const std::string& id) {
    database.execute("INSERT INTO webhooks (id, user_id, url, events, secret_sealed) VALUES ('" + id +
                     "', 'uid_1', 'https://example.test', '{extraction.completed}', 'x')");
}

/// Offsets of deliveries, in their order.
inline std::vector<std::int64_t> offsets_of(const std::vector<ports::QueuedDelivery>& deliveries) {
    std::vector<std::int64_t> offsets;
    for (const ports::QueuedDelivery& delivery : deliveries)
        offsets.push_back(delivery.event->record().offset());
    return offsets;
}

} // namespace docmap::test
