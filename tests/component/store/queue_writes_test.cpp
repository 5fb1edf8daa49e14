// What the attempt log and the parked log write into the delivery queue, and that writing again changes
// nothing.
#include "gated_database.hpp"
#include "queue_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace docmap::store {
namespace {

using ports::WriteTry;
using test::AttemptSpec;
using test::Instance;
using test::make_attempt;
using test::make_parked;
using test::QueueInstance;
using test::TestDatabase;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr base::SystemTime start{1737383404123ms};

class QueueWrites : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(instance_.become_ready()); }

    std::string write(std::vector<core::AttemptRecord> batch, WriteTry write_try = WriteTry::first) {
        return instance_.write(instance_.store().attempt_log(), std::move(batch), write_try);
    }
    std::string park(std::vector<core::ParkedDelivery> batch, WriteTry write_try = WriteTry::first) {
        return instance_.write(instance_.store().parked_log(), std::move(batch), write_try);
    }
    /// A failed attempt that is tried again `delay` after its start.
    static core::AttemptRecord failed(std::int64_t offset, std::chrono::milliseconds delay,
                                      std::optional<std::int64_t> claimed_row = {},
                                      std::uint16_t attempt = 1) {
        return make_attempt({.offset = offset,
                             .http_status = 500,
                             .error = "HTTP 500",
                             .attempt = attempt,
                             .claimed_row = claimed_row,
                             .next_attempt_at = start + delay});
    }
    std::int64_t row_id(std::int64_t offset) {
        return database_
            .execute("SELECT id FROM delivery_queue WHERE kafka_offset = " + std::to_string(offset))[0][0]
            .as<std::int64_t>();
    }
    /// Each row of a query as text, fields separated by `|`.
    std::vector<std::string> rows(const std::string& sql) {
        std::vector<std::string> lines;
        for (const auto& row : database_.execute(sql)) {
            std::string line;
            for (const auto& field : row)
                line.append(line.empty() ? "" : "|").append(field.is_null() ? "null" : field.c_str());
            lines.push_back(line);
        }
        return lines;
    }
    std::vector<std::string> queue() {
        return rows(
            "SELECT kafka_offset, attempt, (extract(epoch FROM due_at) * 1000)::bigint - 1737383404123 "
            "FROM delivery_queue ORDER BY id");
    }
    std::vector<std::string> endpoints() {
        return rows("SELECT webhook_id, (extract(epoch FROM due_at) * 1000)::bigint - 1737383404123, "
                    "(extract(epoch FROM not_before) * 1000)::bigint - 1737383404123, failures, owner "
                    "FROM queued_endpoints ORDER BY webhook_id");
    }

    /// Holds the maintenance's lock: it would forget the failures of webhooks that do not exist.
    class WithoutMaintenance {
      public:
        explicit WithoutMaintenance(const TestDatabase& database) : connection_(database.url()) {
            pqxx::nontransaction(connection_).exec("SELECT pg_advisory_lock(110429572260209)");
        }

      private:
        pqxx::connection connection_;
    };

    TestDatabase database_{test::Schema::current};
    WithoutMaintenance without_maintenance_{database_};
    Instance instance_{database_.settings()};
};

TEST_F(QueueWrites, AFailedFirstAttemptIsStoredTogetherWithItsNextTry) {
    ASSERT_EQ(write({failed(42, 5s), make_attempt({.offset = 43})}), "");
    EXPECT_EQ(database_.count("deliveries"), 2);
    EXPECT_THAT(
        rows("SELECT kafka_offset, (extract(epoch FROM next_attempt_at) * 1000)::bigint FROM deliveries "
             "ORDER BY kafka_offset"),
        ElementsAre("42|1737383409123", "43|null"));
    EXPECT_THAT(
        rows("SELECT kafka_offset, attempt, partition, topic, webhook_id, user_id, extraction_id, event, "
             "event_id, body_hash, encode(body, 'escape'), traceparent, tracestate, "
             "extract(epoch FROM record_timestamp) FROM delivery_queue"),
        ElementsAre("42|2|3|extraction.completed|webhook-aaaaaaaaaaaa|uid_1|extract-1|"
                    "extraction.completed|evt_42|-2|{}|||-0.001000"));
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|5000|null|0|null"));
}

TEST_F(QueueWrites, ABatchIsStoredAsAWholeOrNotAtAll) {
    // The queue refuses the row: nothing of the batch may be there.
    database_.execute("ALTER TABLE delivery_queue ADD CHECK (kafka_offset <> 2)");
    EXPECT_THAT(write({failed(1, 5s), failed(2, 5s)}), HasSubstr("violates check constraint"));
    EXPECT_EQ(database_.count("deliveries"), 0);
    EXPECT_EQ(database_.count("delivery_queue"), 0);
    EXPECT_EQ(database_.count("queued_endpoints"), 0);
}

TEST_F(QueueWrites, AClaimedRowMovesToItsNextAttemptAndEndsWithTheLast) {
    ASSERT_EQ(write({failed(1, 5s), failed(2, 6s)}), "");
    const std::int64_t id = row_id(1);
    ASSERT_EQ(write({failed(1, 300s, id, 2)}), "");
    EXPECT_THAT(queue(), ElementsAre("1|3|300000", "2|2|6000"));
    ASSERT_EQ(write({make_attempt({.offset = 1, .attempt = 3, .claimed_row = id})}), "");
    EXPECT_THAT(queue(), ElementsAre("2|2|6000"));
    EXPECT_EQ(database_.count("deliveries WHERE kafka_offset = 1"), 3);
}

TEST_F(QueueWrites, AnAttemptThatIsNotTheRowsNextOneDoesNotChangeIt) {
    ASSERT_EQ(write({failed(1, 5s)}), "");
    const std::int64_t id = row_id(1);
    ASSERT_EQ(write({failed(1, 300s, id, 2)}), "");
    // Another instance, which had lost the row, reports its late second attempt.
    auto late = failed(1, 7s, id, 2);
    late.id[5] = '9';
    ASSERT_EQ(write({late}), "");
    EXPECT_THAT(queue(), ElementsAre("1|3|300000"));
}

TEST_F(QueueWrites, ABatchWrittenAgainNeitherDoublesNorMovesARow) {
    ASSERT_EQ(write({failed(1, 5s), failed(2, 5s)}), "");
    const std::int64_t id = row_id(1);
    const std::vector<core::AttemptRecord> batch = {failed(1, 300s, id, 2), failed(3, 7s)};
    ASSERT_EQ(write(batch), "");
    ASSERT_EQ(write(batch, WriteTry::again), "");
    EXPECT_THAT(queue(), ElementsAre("1|3|300000", "2|2|5000", "3|2|7000"));
    EXPECT_EQ(database_.count("deliveries"), 4);
}

TEST_F(QueueWrites, ABatchWrittenAgainDoesNotBringBackADeliveredRow) {
    const std::vector<core::AttemptRecord> batch = {failed(1, 5s)};
    ASSERT_EQ(write(batch), "");
    // Meanwhile another instance claims the row, and delivers it.
    ASSERT_EQ(write({make_attempt({.offset = 1, .attempt = 2, .claimed_row = row_id(1)})}), "");
    ASSERT_EQ(write(batch, WriteTry::again), "");
    EXPECT_EQ(database_.count("delivery_queue"), 0);
    EXPECT_EQ(database_.count("deliveries"), 2);
}

TEST_F(QueueWrites, ABatchThatWasNotStoredIsStoredByTheNextWrite) {
    ASSERT_EQ(write({failed(1, 5s), make_attempt({.offset = 2})}, WriteTry::again), "");
    EXPECT_THAT(queue(), ElementsAre("1|2|5000"));
    EXPECT_EQ(database_.count("deliveries"), 2);
    EXPECT_EQ(database_.count("failing_webhooks"), 1);
}

TEST_F(QueueWrites, AReplayOfAQueuedRecordNeitherResetsNorDoublesIt) {
    ASSERT_EQ(write({failed(1, 5s)}), "");
    ASSERT_EQ(write({failed(1, 300s, row_id(1), 2)}), "");
    auto replayed = failed(1, 1s);
    replayed.id[5] = '9'; // it started at another time
    ASSERT_EQ(write({replayed}), "");
    ASSERT_EQ(park({make_parked({.offset = 1}, start)}), "");
    EXPECT_THAT(queue(), ElementsAre("1|3|300000"));
}

TEST_F(QueueWrites, AWebhookThatIsGoneForGoodIsDeactivatedOnce) {
    test::add_webhook(database_, "webhook-gone");
    ASSERT_EQ(park({make_parked({.offset = 9, .webhook_id = "webhook-gone"}, start, start + 24h * 365 * 20)}),
              "");
    const std::vector<core::AttemptRecord> batch = {make_attempt({.offset = 1,
                                                                  .http_status = 410,
                                                                  .error = "HTTP 410 Gone",
                                                                  .webhook_id = "webhook-gone",
                                                                  .deactivates = true})};
    ASSERT_EQ(write(batch), "");
    EXPECT_EQ(database_.count("webhooks WHERE NOT active AND deactivated_at <= now()"), 1);
    EXPECT_EQ(database_.count("queued_endpoints WHERE due_at <= now() AND not_before IS NULL"), 1);
    EXPECT_EQ(instance_.metrics().webhooks_deactivated.Value(), 1);
    EXPECT_TRUE(test::eventually([&] {
        return testing::Value(instance_.listener().changes(),
                              testing::Contains("uid_1/webhook-gone/removed"));
    }));
    // The user activates it again; the batch written again is not a new answer.
    database_.execute("UPDATE webhooks SET active = true");
    ASSERT_EQ(write(batch, WriteTry::again), "");
    EXPECT_EQ(database_.count("webhooks WHERE active"), 1);
    EXPECT_EQ(instance_.metrics().webhooks_deactivated.Value(), 1);
}

TEST_F(QueueWrites, FailuresAreNotedFromTheFirstToTheLast) {
    const auto attempt = [](std::int64_t offset, std::uint16_t status, std::chrono::seconds later) {
        return make_attempt({.offset = offset, .http_status = status, .started_at = start + later});
    };
    ASSERT_EQ(write({attempt(1, 500, 60s), attempt(2, 200, 90s), attempt(3, 500, 30s)}), "");
    const std::string failing =
        "SELECT webhook_id, user_id, extract(epoch FROM failing_since)::bigint - 1737383404, "
        "extract(epoch FROM last_failed_at)::bigint - 1737383404 FROM failing_webhooks";
    EXPECT_THAT(rows(failing), ElementsAre("webhook-aaaaaaaaaaaa|uid_1|30|60"));
    ASSERT_EQ(write({attempt(4, 0, 45s)}), "");
    EXPECT_THAT(rows(failing), ElementsAre("webhook-aaaaaaaaaaaa|uid_1|30|60"));
    ASSERT_EQ(write({attempt(5, 301, 120s)}), "");
    EXPECT_THAT(rows(failing), ElementsAre("webhook-aaaaaaaaaaaa|uid_1|30|120"));
}

TEST_F(QueueWrites, AnActivatedWebhookBeginsWithoutFailures) {
    test::add_webhook(database_, "webhook-aaaaaaaaaaaa");
    database_.execute("UPDATE webhooks SET active = false");
    ASSERT_EQ(write({make_attempt({.offset = 1, .http_status = 500})}), "");
    EXPECT_EQ(database_.count("failing_webhooks"), 1);
    database_.execute("UPDATE webhooks SET active = true");
    EXPECT_EQ(database_.count("failing_webhooks"), 0);
}

TEST_F(QueueWrites, AnEndpointBecomesDueEarlierButNotBeforeItsPauseAndKeepsItsOwner) {
    ASSERT_EQ(write({failed(1, 60s)}), "");
    ASSERT_EQ(write({failed(2, 30s)}), "");
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|30000|null|0|null"));
    ASSERT_EQ(write({failed(3, 90s)}), "");
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|30000|null|0|null"));
    database_.execute("UPDATE queued_endpoints SET not_before = to_timestamp(1737383424.123), owner = 'me'");
    ASSERT_EQ(write({failed(4, 10s)}), "");
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|20000|20000|0|me"));
}

TEST_F(QueueWrites, ParkedDeliveriesWaitInOrderOfArrival) {
    ASSERT_EQ(park({make_parked({.offset = 5}, start), make_parked({.offset = 3}, start),
                    make_parked({.offset = 4}, start + 1s)}),
              "");
    EXPECT_THAT(queue(), ElementsAre("5|1|0", "3|1|0", "4|1|1000"));
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|0|null|0|null"));
}

TEST_F(QueueWrites, AnEndpointThatIsDownIsParkedWithItsPauseAndBeginsWithAProbe) {
    ASSERT_EQ(
        park({make_parked({.offset = 1}, start, start + 5s), make_parked({.offset = 2}, start, start + 8s)}),
        "");
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|8000|8000|5|null"));
    // What is parked without a pause does not shorten it.
    ASSERT_EQ(park({make_parked({.offset = 3}, start)}), "");
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|8000|8000|5|null"));
    database_.execute("UPDATE queued_endpoints SET failures = 9");
    ASSERT_EQ(park({make_parked({.offset = 4}, start, start + 9s)}), "");
    EXPECT_THAT(endpoints(), ElementsAre("webhook-aaaaaaaaaaaa|9000|9000|9|null"));
}

TEST_F(QueueWrites, AParkedBatchWrittenAgainNeitherDoublesNorBringsBackARow) {
    const std::vector<core::ParkedDelivery> batch = {make_parked({.offset = 1}, start),
                                                     make_parked({.offset = 2}, start)};
    ASSERT_EQ(park(batch), "");
    ASSERT_EQ(write({make_attempt({.offset = 1, .claimed_row = row_id(1)})}), "");
    ASSERT_EQ(park(batch, WriteTry::again), "");
    EXPECT_THAT(queue(), ElementsAre("2|1|0"));
    // A topic made anew: the same offset, another body.
    auto other = make_parked({.offset = 1}, start);
    core::EventFields fields;
    fields.body_hash = 7;
    fields.id = "evt_1";
    other.delivery.event = core::Event::create(test::make_record(1, "[]"), fields);
    ASSERT_EQ(park({other}, WriteTry::again), "");
    EXPECT_THAT(queue(), ElementsAre("2|1|0", "1|1|0"));
}

TEST_F(QueueWrites, WhatAnotherInstanceHasAttemptedIsNotParked) {
    ASSERT_EQ(write({make_attempt({.offset = 1})}), "");
    ASSERT_EQ(park({make_parked({.offset = 1}, start), make_parked({.offset = 2}, start)}), "");
    EXPECT_THAT(queue(), ElementsAre("2|1|0"));
}

TEST_F(QueueWrites, WhatAnotherInstanceHasDeliveredIsNotTriedAgain) {
    core::AttemptRecord of_another = make_attempt({.offset = 1});
    of_another.id[10] = of_another.id[10] == 'a' ? 'b' : 'a';
    ASSERT_EQ(write({of_another}), "");
    ASSERT_EQ(write({failed(1, 5s), failed(2, 5s)}), "");
    EXPECT_THAT(queue(), ElementsAre("2|2|5000"));
}

TEST_F(QueueWrites, ALateSuccessEndsTheDeliveryWhateverItsRowWaitsFor) {
    ASSERT_EQ(park({make_parked({.offset = 1}, start)}), "");
    const std::int64_t row = row_id(1);
    ASSERT_EQ(write({failed(1, 5s, row)}), "");
    EXPECT_THAT(queue(), ElementsAre("1|2|5000"));
    core::AttemptRecord late = make_attempt({.offset = 1, .claimed_row = row});
    late.id[10] = late.id[10] == 'a' ? 'b' : 'a';
    ASSERT_EQ(write({late}), "");
    EXPECT_THAT(queue(), IsEmpty());
}

TEST_F(QueueWrites, BodiesLargerThanOneStatementAreStoredTogether) {
    const std::string large(std::size_t{20} * 1024 * 1024, 'x');
    ASSERT_EQ(park({make_parked({.offset = 1, .body = large}, start),
                    make_parked({.offset = 2, .body = large}, start),
                    make_parked({.offset = 3, .body = std::string("\x00\xff", 2)}, start)}),
              "");
    EXPECT_EQ(database_.count("delivery_queue WHERE octet_length(body) = 20971520"), 2);
    EXPECT_EQ(database_.count("delivery_queue WHERE body = '\\x00ff'"), 1);
}

TEST_F(QueueWrites, WhatWaitsIsFoundAsRecordedPageByPage) {
    ASSERT_EQ(write({make_attempt({.offset = 5}), failed(7, 5s), make_attempt({.offset = 9})}), "");
    ASSERT_EQ(park({make_parked({.offset = 6}, start), make_parked({.offset = 8}, start)}), "");
    ASSERT_EQ(write({failed(7, 300s, row_id(7), 2)}), "");
    const auto find = [&](std::int64_t first, std::size_t limit) {
        std::promise<std::vector<std::int64_t>> found;
        instance_.store().recorded_deliveries().find(
            "extraction.completed", 3, first, limit, [&](auto result) {
                std::vector<std::int64_t> offsets;
                for (const core::RecordedDelivery& row : result.value())
                    offsets.push_back(row.offset);
                found.set_value(std::move(offsets));
            });
        return found.get_future().get();
    };
    EXPECT_THAT(find(0, 100), ElementsAre(5, 6, 7, 7, 8, 9));
    EXPECT_THAT(find(6, 2), ElementsAre(6, 7));
    EXPECT_THAT(find(8, 2), ElementsAre(8, 9));
}

/// Holds up every COMMIT that changes `table` until the lock is given up.
class CommitBlocker {
  public:
    CommitBlocker(const TestDatabase& database, const std::string& table)
        : database_(database), connection_(database.url()), session_(connection_) {
        session_.exec("CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
                      "pg_advisory_xact_lock_shared(1); RETURN NULL; END $$");
        session_.exec("CREATE CONSTRAINT TRIGGER hold_up AFTER INSERT OR UPDATE OR DELETE ON " + table +
                      " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold_up()");
        session_.exec("SELECT pg_advisory_lock(1)");
    }
    bool reached() {
        return test::eventually([&] { return database_.count(waiting) == 1; });
    }
    /// Lets it commit, and waits until it has.
    bool let_go() {
        session_.exec("SELECT pg_advisory_unlock(1)");
        return test::eventually([&] { return database_.count(waiting) == 0; });
    }

  private:
    static constexpr const char* waiting =
        "pg_locks WHERE locktype = 'advisory' AND NOT granted AND mode = 'ShareLock' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    const TestDatabase& database_;
    pqxx::connection connection_;
    pqxx::nontransaction session_;
};

TEST(QueueWritesCutOff, AnAttemptWhoseCommitIsUnknownIsNotBroughtBack) {
    test::GatedDatabase database;
    database.gate().open();
    QueueInstance cut(database.settings());
    QueueInstance other(database.direct().settings());
    ASSERT_TRUE(cut.start() && other.start());
    test::add_webhook(database.direct(), "webhook-a");
    const std::vector<core::AttemptRecord> batch = {
        make_attempt({.offset = 1, .http_status = 500, .webhook_id = "webhook-a", .next_attempt_at = start})};
    {
        CommitBlocker blocker(database.direct(), "deliveries_default");
        auto written = std::async(std::launch::async, [&] { return cut.write(batch); });
        ASSERT_TRUE(blocker.reached());
        database.gate().close();
        EXPECT_THAT(written.get(), HasSubstr("database unavailable: "));
        ASSERT_TRUE(blocker.let_go());
    }
    ASSERT_TRUE(test::eventually([&] { return database.direct().count("delivery_queue") == 1; }));
    const ports::Claim claim = other.claim();
    ASSERT_EQ(claim.endpoints.size(), 1U);
    ASSERT_EQ(claim.endpoints[0].deliveries.size(), 1U);
    ASSERT_EQ(other.write({make_attempt({.offset = 1,
                                         .webhook_id = "webhook-a",
                                         .attempt = 2,
                                         .claimed_row = claim.endpoints[0].deliveries[0].row_id})}),
              "");
    other.release({{"webhook-a", 0, {}}});

    database.gate().open();
    ASSERT_TRUE(cut.instance().become_ready());
    ASSERT_TRUE(test::eventually([&] { return cut.write(batch, WriteTry::again).empty(); }));
    EXPECT_EQ(database.direct().count("delivery_queue"), 0);
    EXPECT_EQ(database.direct().count("queued_endpoints"), 0);
    EXPECT_EQ(database.direct().count("deliveries"), 2);
}

TEST(QueueWritesCutOff, AParkedBatchWhoseCommitIsUnknownIsStoredOnce) {
    test::GatedDatabase database;
    database.gate().open();
    QueueInstance cut(database.settings());
    ASSERT_TRUE(cut.start());
    const std::vector<core::ParkedDelivery> batch = {make_parked({.offset = 1}, start),
                                                     make_parked({.offset = 2}, start)};
    CommitBlocker blocker(database.direct(), "delivery_queue");
    auto written = std::async(std::launch::async, [&] { return cut.park(batch); });
    ASSERT_TRUE(blocker.reached());
    database.gate().close();
    EXPECT_THAT(written.get(), HasSubstr("database unavailable: "));
    database.gate().open();
    ASSERT_TRUE(cut.instance().become_ready());
    // The first write is still at its COMMIT: the second one waits for it.
    auto again = std::async(std::launch::async, [&] { return cut.park(batch, WriteTry::again); });
    ASSERT_EQ(again.wait_for(50ms), std::future_status::timeout);
    ASSERT_TRUE(blocker.let_go());
    EXPECT_EQ(again.get(), "");
    EXPECT_EQ(database.direct().count("delivery_queue"), 2);
    EXPECT_EQ(database.direct().count("queued_endpoints"), 1);
}

} // namespace
} // namespace docmap::store
