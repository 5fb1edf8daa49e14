// A shard under test: its clock, its transport and its sink are the test's.
#pragma once

#include "pipeline/shard.hpp"
#include "support/manual_ports.hpp"
#include "support/records.hpp"
#include "support/virtual_scheduler.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace docmap::pipeline {

using namespace std::chrono_literals;

class CollectingSink final : public DeliverySink {
  public:
    void on_attempts(std::vector<core::AttemptRecord> finished) override {
        std::move(finished.begin(), finished.end(), std::back_inserter(attempts));
    }
    void on_dropped(std::vector<core::Delivery> deliveries) override {
        std::move(deliveries.begin(), deliveries.end(), std::back_inserter(dropped));
    }

    void on_parked(std::vector<core::ParkedDelivery> deliveries) override {
        std::move(deliveries.begin(), deliveries.end(), std::back_inserter(parked));
    }

    std::vector<core::AttemptRecord> attempts;
    std::vector<core::Delivery> dropped;
    std::vector<core::ParkedDelivery> parked;
};

/// A shard with slots of its own, that sends once.
struct OtherShard {
    OtherShard(async::Scheduler& scheduler, DeliverySink& sink, std::size_t slot_count, std::size_t waiters,
               core::GateSettings gate)
        : slots(slot_count, waiters),
          shard({.index = 0, .gate = gate, .timeout = 10s, .retry_schedule = {}}, scheduler, slots, sink),
          transport(shard, scheduler) {
        shard.attach(transport);
    }

    async::SharedSlots slots;
    Shard shard;
    test::ManualTransport transport;
};

class ShardTest : public testing::Test {
  protected:
    ShardTest() { shard_.attach(transport_); }

    static core::Delivery delivery(const std::string& webhook_id, std::int64_t offset,
                                   std::uint64_t assignment = 1) {
        return {test::make_event({.value = "{}", .offset = offset, .assignment = assignment}),
                test::make_webhook(webhook_id)};
    }
    void submit(std::vector<core::Delivery> deliveries) {
        shard_.submit(std::move(deliveries));
        scheduler_.run();
    }
    /// Answers what is in flight, and what begins then, until nothing is.
    void respond_to_all() {
        for (; !transport_.exchanges.empty(); scheduler_.run())
            transport_.respond(200);
    }
    std::vector<std::int64_t> attempted_offsets() const {
        std::vector<std::int64_t> offsets;
        for (const core::AttemptRecord& attempt : sink_.attempts)
            offsets.push_back(attempt.delivery.event->record().offset());
        return offsets;
    }

    test::VirtualScheduler scheduler_;
    async::SharedSlots slots_{3, 1};
    CollectingSink sink_;
    Shard shard_{{.index = 0,
                  .gate = {.max_in_flight = 2,
                           .max_queued = 4,
                           .max_wait = 2s,
                           .breaker = {.failures = 3, .pause = 5s, .max_pause = 20s},
                           .max_attempts_per_second = {}},
                  .max_endpoints = 2,
                  .timeout = 10s,
                  .retry_schedule = {5s, 5min},
                  .random_seed = 1},
                 scheduler_,
                 slots_,
                 sink_};
    test::ManualTransport transport_{shard_, scheduler_};
};

} // namespace docmap::pipeline
