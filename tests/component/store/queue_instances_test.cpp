// Several instances on one delivery queue: nothing twice, nothing stuck, whatever one of them does.
#include "queue_harness.hpp"
#include "tcp_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>

namespace docmap::store {
namespace {

using test::add_webhook;
using test::eventually;
using test::make_attempt;
using test::make_parked;
using test::QueueInstance;
using test::TestDatabase;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

constexpr base::SystemTime past{1737383404123ms};

class QueueInstances : public testing::Test {
  protected:
    void park(QueueInstance& queue, int webhooks, int each) {
        std::vector<core::ParkedDelivery> batch;
        for (int webhook = 0; webhook < webhooks; ++webhook) {
            add_webhook(database_, "webhook-" + std::to_string(webhook));
            for (int i = 0; i < each; ++i)
                batch.push_back(make_parked(
                    {.offset = webhook * 1000 + i, .webhook_id = "webhook-" + std::to_string(webhook)},
                    past));
        }
        ASSERT_EQ(queue.park(std::move(batch)), "");
    }

    TestDatabase database_{test::Schema::current};
};

/// Claims and delivers until nothing is left; counts what it got by offset.
std::map<std::int64_t, int> deliver_all(QueueInstance& queue, const TestDatabase& database) {
    std::map<std::int64_t, int> delivered;
    const auto deadline = std::chrono::steady_clock::now() + test::patience;
    while (database.count("delivery_queue") > 0 && std::chrono::steady_clock::now() < deadline) {
        const ports::Claim claim = queue.claim({3, 4, 1U << 20U});
        std::vector<core::AttemptRecord> attempts;
        std::vector<ports::EndpointRelease> releases;
        for (const auto& endpoint : claim.endpoints) {
            releases.push_back({endpoint.webhook_id, 0, {}});
            for (const auto& delivery : endpoint.deliveries) {
                const std::int64_t offset = delivery.event->record().offset();
                ++delivered[offset];
                attempts.push_back(make_attempt(
                    {.offset = offset, .webhook_id = endpoint.webhook_id, .claimed_row = delivery.row_id}));
            }
        }
        if (!attempts.empty()) {
            EXPECT_EQ(queue.write(std::move(attempts)), "");
        }
        queue.release(std::move(releases));
    }
    return delivered;
}

TEST_F(QueueInstances, EachRowIsDeliveredByOneOfThem) {
    QueueInstance first(database_.settings());
    QueueInstance second(database_.settings());
    ASSERT_TRUE(first.start() && second.start());
    park(first, 20, 10);
    auto other = std::async(std::launch::async, [&] { return deliver_all(second, database_); });
    auto delivered = deliver_all(first, database_);
    for (const auto& [offset, times] : other.get())
        delivered[offset] += times;
    EXPECT_THAT(delivered, SizeIs(200));
    for (const auto& [offset, times] : delivered)
        EXPECT_EQ(times, 1) << offset;
    EXPECT_EQ(database_.count("queued_endpoints"), 0);
    EXPECT_EQ(database_.count("deliveries"), 200);
}

TEST_F(QueueInstances, WhatADeadOneHadClaimedIsFreeAndItHearsOfIt) {
    QueueInstance dead(database_.settings());
    QueueInstance living(database_.settings());
    ASSERT_TRUE(dead.start() && living.start());
    park(living, 3, 2);
    ASSERT_THAT(dead.claim().endpoints, SizeIs(3));
    ASSERT_TRUE(living.keep_alive());
    EXPECT_THAT(living.claim().endpoints, IsEmpty());
    // Its time is over.
    database_.execute("UPDATE instances SET alive_until = now() - interval '1 s' WHERE id = "
                      "(SELECT owner FROM queued_endpoints LIMIT 1)");
    ASSERT_TRUE(living.keep_alive());
    EXPECT_EQ(database_.count("instances"), 1);

    // Nothing is its own any more, and it can claim nothing before it has heard of that.
    EXPECT_THAT(dead.take({{"webhook-0", 10}}), IsEmpty());
    EXPECT_THAT(dead.claim().endpoints, IsEmpty());
    EXPECT_THAT(living.claim().endpoints, SizeIs(3));
    dead.release({{"webhook-0", 0, {}}, {"webhook-1", 5, 3600s}});
    EXPECT_EQ(database_.count("queued_endpoints WHERE owner IS NOT NULL"), 3);
    EXPECT_FALSE(dead.keep_alive());
    EXPECT_TRUE(dead.keep_alive());
    EXPECT_EQ(database_.count("instances"), 2);
    living.release({{"webhook-2", 0, {}}});
    EXPECT_THAT(dead.claim().endpoints, SizeIs(1));
}

TEST_F(QueueInstances, OneThatWasLateButNotTakenForDeadKeepsItsClaims) {
    QueueInstance late(database_.settings());
    ASSERT_TRUE(late.start());
    park(late, 1, 1);
    ASSERT_THAT(late.claim().endpoints, SizeIs(1));
    database_.execute("UPDATE instances SET alive_until = now() - interval '1 s'");
    EXPECT_TRUE(late.keep_alive());
    EXPECT_THAT(late.take({{"webhook-0", 10}}), SizeIs(1));
}

TEST_F(QueueInstances, NothingIsClaimedBeforeTheFirstSignOfLife) {
    QueueInstance queue(database_.settings());
    ASSERT_TRUE(queue.instance().become_ready());
    park(queue, 1, 1);
    EXPECT_THAT(queue.claim().endpoints, IsEmpty());
    ASSERT_TRUE(queue.keep_alive());
    EXPECT_THAT(queue.claim().endpoints, SizeIs(1));
}

TEST_F(QueueInstances, OneThatLeavesGivesEverythingBack) {
    QueueInstance leaving(database_.settings());
    QueueInstance staying(database_.settings());
    ASSERT_TRUE(leaving.start() && staying.start());
    park(staying, 3, 1);
    ASSERT_THAT(leaving.claim().endpoints, SizeIs(3));
    leaving.leave();
    EXPECT_EQ(database_.count("instances"), 1);
    EXPECT_THAT(staying.claim().endpoints, SizeIs(3));
    EXPECT_THAT(leaving.claim().endpoints, IsEmpty());
}

TEST_F(QueueInstances, WhatAClaimWithoutAnAnswerHasClaimedIsReleased) {
    QueueInstance queue(database_.settings());
    ASSERT_TRUE(queue.start());
    park(queue, 2, 1);
    ASSERT_THAT(queue.claim({1, 1, 1000}).endpoints, SizeIs(1));
    // The endpoint is claimed, and then its rows cannot be read: a lock holds them up until the connection is
    // ended.
    pqxx::connection blocker(database_.url());
    auto lock = std::make_unique<pqxx::work>(blocker);
    lock->exec("LOCK TABLE delivery_queue IN ACCESS EXCLUSIVE MODE");
    auto claim = std::async(std::launch::async, [&] { return queue.try_claim(); });
    const std::string waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    ASSERT_TRUE(eventually([&] { return database_.count(waiting) == 1; }));
    EXPECT_EQ(database_.count("queued_endpoints WHERE owner IS NOT NULL"), 2);
    database_.execute("SELECT pg_terminate_backend(pid) FROM " + waiting);
    EXPECT_FALSE(claim.get().has_value());
    lock.reset();

    // The one that it knows of stays its own.
    queue.release_unknown({"webhook-0"});
    EXPECT_EQ(database_.count("queued_endpoints WHERE owner IS NOT NULL"), 1);
    const ports::Claim next = queue.claim();
    ASSERT_THAT(next.endpoints, SizeIs(1));
    EXPECT_EQ(next.endpoints[0].webhook_id, "webhook-1");
    EXPECT_EQ(database_.count("queued_endpoints WHERE owner IS NOT NULL"), 2);
}

TEST_F(QueueInstances, AReleaseWaitsForAWriterAndSeesItsRow) {
    QueueInstance queue(database_.settings());
    ASSERT_TRUE(queue.start());
    park(queue, 1, 1);
    ASSERT_THAT(queue.claim().endpoints, SizeIs(1));
    // As the logs do: a row, then the lock of its endpoint. The row that was there has ended.
    pqxx::connection connection(database_.url());
    pqxx::work writer(connection);
    writer.exec("CREATE TEMPORARY TABLE taken ON COMMIT DROP AS SELECT * FROM delivery_queue");
    writer.exec(
        "INSERT INTO delivery_queue (due_at, record_timestamp, kafka_offset, body_hash, partition, attempt, "
        "webhook_id, user_id, extraction_id, event, event_id, topic, traceparent, tracestate, body) "
        "SELECT due_at, record_timestamp, 77, body_hash, partition, attempt, webhook_id, user_id, "
        "extraction_id, event, event_id, topic, traceparent, tracestate, body FROM taken");
    writer.exec("SELECT 1 FROM queued_endpoints FOR UPDATE");
    database_.execute("DELETE FROM delivery_queue");
    auto released = std::async(std::launch::async, [&] { queue.release({{"webhook-0", 0, {}}}); });
    ASSERT_TRUE(eventually([&] {
        return database_.count(
                   "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 1;
    }));
    writer.commit();
    released.get();
    const ports::Claim claim = queue.claim();
    ASSERT_THAT(claim.endpoints, SizeIs(1));
    EXPECT_EQ(test::offsets_of(claim.endpoints[0].deliveries), std::vector<std::int64_t>{77});
}

TEST_F(QueueInstances, ReleasesRacingWithInsertsForgetNoRow) {
    constexpr int writers = 4;
    constexpr int rounds = 60;
    QueueInstance queue(database_.settings());
    ASSERT_TRUE(queue.start());
    for (int webhook = 0; webhook < 3; ++webhook)
        add_webhook(database_, "webhook-" + std::to_string(webhook));
    std::vector<std::unique_ptr<QueueInstance>> instances;
    for (int i = 0; i < writers; ++i) {
        instances.push_back(std::make_unique<QueueInstance>(database_.settings()));
        ASSERT_TRUE(instances.back()->instance().become_ready());
    }
    std::vector<std::future<void>> writing;
    for (int writer = 0; writer < writers; ++writer)
        writing.push_back(std::async(std::launch::async, [&, writer] {
            for (int round = 0; round < rounds; ++round)
                EXPECT_EQ(instances[static_cast<std::size_t>(writer)]->park(
                              {make_parked({.offset = writer * 1000 + round,
                                            .webhook_id = "webhook-" + std::to_string(round % 3)},
                                           past)}),
                          "");
        }));
    std::map<std::int64_t, int> delivered;
    const auto all_written = [&] {
        return std::all_of(writing.begin(), writing.end(),
                           [](auto& writer) { return writer.wait_for(0s) == std::future_status::ready; });
    };
    while (!all_written())
        for (const auto& [offset, times] : deliver_all(queue, database_))
            delivered[offset] += times;
    for (const auto& [offset, times] : deliver_all(queue, database_))
        delivered[offset] += times;
    // A row without its endpoint would wait for ever.
    EXPECT_EQ(database_.count("delivery_queue"), 0);
    EXPECT_EQ(database_.count("queued_endpoints"), 0);
    EXPECT_THAT(delivered, SizeIs(writers * rounds));
    for (const auto& [offset, times] : delivered)
        EXPECT_EQ(times, 1) << offset;
}

TEST_F(QueueInstances, EndpointsDieTheDayTheirWebhookDoesEvenWhileTheyAreWritten) {
    QueueInstance queue(database_.settings());
    ASSERT_TRUE(queue.start());
    park(queue, 1, 1);
    // A first attempt that was in flight when the webhook was deleted.
    database_.execute("DELETE FROM webhooks");
    ASSERT_EQ(queue.write({make_attempt({.offset = 5,
                                         .http_status = 500,
                                         .webhook_id = "webhook-0",
                                         .next_attempt_at = base::system_now() - 1s})}),
              "");
    EXPECT_EQ(database_.count("delivery_queue"), 2);
    EXPECT_THAT(queue.claim().endpoints, IsEmpty());
    EXPECT_EQ(database_.count("delivery_queue"), 0);
    EXPECT_EQ(database_.count("queued_endpoints"), 0);
}

} // namespace
} // namespace docmap::store
