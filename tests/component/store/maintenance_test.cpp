// The database's maintenance: partitions by day, retention, and webhooks that do nothing but fail.
#include "queue_harness.hpp"
#include "store/maintenance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <vector>

namespace docmap::store {
namespace {

using test::add_webhook;
using test::TestDatabase;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

class MaintenanceTest : public testing::Test {
  protected:
    Maintenance maintenance(std::size_t retention_days = 30) {
        return Maintenance(
            {connection_parameters(database_.settings(), Planning::each_time), retention_days, 5 * 24h},
            metrics_);
    }
    void run_once(std::size_t retention_days = 30) { maintenance(retention_days).run_once(); }

    /// Stores an attempt made so long ago.
    void add_attempt(const std::string& age, bool success, const std::string& webhook_id = "webhook-a") {
        database_.execute(
            "INSERT INTO deliveries (created_at, kafka_offset, body_hash, partition, duration_ms, attempt, "
            "success, "
            "id, user_id, webhook_id, extraction_id, event, event_id, url, topic) SELECT "
            "date_trunc('milliseconds', "
            "now() - interval '" +
            age + "'), 1, 1, 3, 1, 1, " + (success ? "true" : "false") + ", 'id-' || count(*), 'uid_1', '" +
            webhook_id +
            "', 'x', 'extraction.completed', 'evt', 'https://example.test', 'extraction.completed' "
            "FROM deliveries");
        if (!success)
            database_.execute(
                "INSERT INTO failing_webhooks AS f SELECT webhook_id, user_id, min(created_at), "
                "max(created_at) FROM deliveries WHERE NOT success GROUP BY 1, 2 ON CONFLICT "
                "(webhook_id) DO UPDATE SET last_failed_at = excluded.last_failed_at");
    }
    /// Days relative to today that have a partition.
    std::vector<int> partition_days() {
        std::vector<int> days;
        for (const auto& row : database_.execute(
                 "SELECT to_date(right(c.relname, 8), 'YYYYMMDD') - (now() AT TIME ZONE 'UTC')::date "
                 "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
                 "'deliveries'::regclass AND c.relname <> 'deliveries_default' ORDER BY 1"))
            days.push_back(row[0].as<int>());
        return days;
    }
    void drop_partitions() {
        database_.execute(
            "DO $$ DECLARE name text; BEGIN FOR name IN SELECT c.relname FROM pg_inherits i JOIN "
            "pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'deliveries'::regclass AND "
            "c.relname <> 'deliveries_default' LOOP EXECUTE 'DROP TABLE ' || name; END LOOP; END $$");
    }

    TestDatabase database_{test::Schema::current};
    base::Metrics metrics_;
};

TEST_F(MaintenanceTest, AMigrationMakesTheFirstPartitions) {
    EXPECT_THAT(partition_days(), ElementsAre(0, 1, 2, 3));
    EXPECT_EQ(migrate(database_.settings()).value().partitions_made, 0U);
}

TEST_F(MaintenanceTest, PartitionsAreMadeAheadAndRowsOfADayWithoutOneMoveIntoIt) {
    drop_partitions();
    add_attempt("0 s", true);
    add_attempt("2 days", true);
    add_attempt("2 days 1 second", false);
    EXPECT_EQ(database_.count("deliveries_default"), 3);
    run_once();
    EXPECT_THAT(partition_days(), ElementsAre(-2, 0, 1, 2, 3));
    EXPECT_EQ(database_.count("deliveries_default"), 0);
    EXPECT_EQ(database_.count("deliveries"), 3);
    // Every partition has the indexes of the whole.
    EXPECT_EQ(database_.count("pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid "
                              "WHERE i.inhparent = 'deliveries'::regclass"),
              6 * 2);
    add_attempt("2 days", true);
    EXPECT_EQ(database_.count("deliveries_default"), 0);
    run_once();
    EXPECT_THAT(partition_days(), ElementsAre(-2, 0, 1, 2, 3));
}

TEST_F(MaintenanceTest, WholeDaysAreDroppedByAge) {
    add_attempt("7 days", true);
    add_attempt("8 days", true);
    add_attempt("9 days", true);
    run_once(30);
    EXPECT_THAT(partition_days(), ElementsAre(-9, -8, -7, 0, 1, 2, 3));
    add_attempt("20 days", true); // lies in the default partition
    run_once(7);
    EXPECT_THAT(partition_days(), ElementsAre(-7, 0, 1, 2, 3));
    EXPECT_EQ(database_.count("deliveries"), 1);
}

TEST_F(MaintenanceTest, RowsCanBeWrittenWhileThePartitionsAreMade) {
    test::Instance instance(database_.settings());
    ASSERT_TRUE(instance.become_ready());
    const base::SystemTime now = base::system_now();
    std::int64_t offset = 0;
    for (int round = 0; round < 5; ++round) {
        drop_partitions();
        database_.execute("TRUNCATE deliveries");
        auto made = std::async(std::launch::async, [&] { run_once(); });
        int written = 0;
        do {
            ASSERT_EQ(instance.write(instance.store().attempt_log(),
                                     {test::make_attempt({.offset = ++offset, .started_at = now})}),
                      "");
            ++written;
        } while (made.wait_for(0s) != std::future_status::ready);
        made.get();
        EXPECT_EQ(database_.count("deliveries"), written);
        EXPECT_EQ(database_.count("deliveries_default"), 0);
        EXPECT_THAT(partition_days(), ElementsAre(0, 1, 2, 3));
    }
}

TEST_F(MaintenanceTest, NoRowIsMissedWhileItMovesIntoItsPartition) {
    drop_partitions();
    constexpr int days = 25;
    for (int day = 1; day <= days; ++day)
        add_attempt(std::to_string(day) + " days", true);
    std::atomic<bool> moved{false};
    std::vector<std::future<int>> readers;
    for (int reader = 0; reader < 3; ++reader)
        readers.push_back(std::async(std::launch::async, [&] {
            pqxx::connection connection(database_.url());
            int fewest = days;
            while (!moved) {
                pqxx::nontransaction autocommit(connection);
                fewest = std::min(fewest, autocommit.exec("SELECT count(*) FROM deliveries")[0][0].as<int>());
            }
            return fewest;
        }));
    run_once();
    moved = true;
    for (std::future<int>& reader : readers)
        EXPECT_EQ(reader.get(), days);
    EXPECT_EQ(database_.count("deliveries_default"), 0);
}

TEST_F(MaintenanceTest, OneInstanceAtATimeDoesIt) {
    drop_partitions();
    pqxx::connection other(database_.url());
    pqxx::nontransaction session(other);
    session.exec("SELECT pg_advisory_lock(110429572260209)");
    run_once();
    EXPECT_THAT(partition_days(), IsEmpty());
    session.exec("SELECT pg_advisory_unlock(110429572260209)");
    run_once();
    EXPECT_THAT(partition_days(), ElementsAre(0, 1, 2, 3));
}

TEST_F(MaintenanceTest, AStoreDoesItAtItsStart) {
    drop_partitions();
    test::Instance instance(database_.settings());
    EXPECT_TRUE(test::eventually([&] { return partition_days().size() == 4; }));
}

TEST_F(MaintenanceTest, AStopBreaksOffWhatIsUnderWay) {
    drop_partitions();
    pqxx::connection blocker(database_.url());
    pqxx::work lock(blocker);
    lock.exec("LOCK TABLE deliveries IN ROW EXCLUSIVE MODE"); // as a writer that hangs
    Maintenance maintenance({connection_parameters(database_.settings(), Planning::each_time), 30, 5 * 24h},
                            metrics_);
    maintenance.start();
    ASSERT_TRUE(test::eventually([&] {
        return database_.count(
                   "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 1;
    }));
    const auto start = std::chrono::steady_clock::now();
    maintenance.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST_F(MaintenanceTest, AWebhookThatOnlyFailedForTooLongIsDeactivated) {
    add_webhook(database_, "webhook-a");
    add_webhook(database_, "webhook-b");
    add_attempt("8 days", true); // before the failures
    for (const char* age : {"6 days", "3 days", "1 hour"})
        add_attempt(age, false);
    for (const char* age : {"6 days", "1 days 1 hour"}) // not long enough
        add_attempt(age, false, "webhook-b");
    database_.execute(
        "UPDATE failing_webhooks SET failing_since = now() - interval '5 days' WHERE webhook_id = "
        "'webhook-b'");
    run_once();
    EXPECT_EQ(database_.count("webhooks WHERE id = 'webhook-a' AND NOT active AND deactivated_at <= now()"),
              1);
    EXPECT_EQ(database_.count("webhooks WHERE id = 'webhook-b' AND active"), 1);
    EXPECT_EQ(metrics_.webhooks_deactivated.Value(), 1);
    EXPECT_EQ(database_.count("failing_webhooks"), 1);
    run_once();
    EXPECT_EQ(metrics_.webhooks_deactivated.Value(), 1);
}

TEST_F(MaintenanceTest, ASuccessForgivesTheFailuresBeforeIt) {
    add_webhook(database_, "webhook-a");
    add_attempt("7 days", false);
    add_attempt("2 days", true);
    add_attempt("1 days", false);
    add_attempt("1 hour", false);
    add_webhook(database_, "webhook-b");
    add_attempt("7 days", false, "webhook-b");
    add_attempt("1 days", false, "webhook-b");
    add_attempt("1 hour", true, "webhook-b");
    run_once();
    EXPECT_EQ(database_.count("webhooks WHERE active"), 2);
    // What failed after the success counts from its own start.
    EXPECT_EQ(
        database_.count("failing_webhooks WHERE webhook_id = 'webhook-a' AND failing_since BETWEEN now() - "
                        "interval '25 hours' AND now() - interval '23 hours'"),
        1);
    EXPECT_EQ(database_.count("failing_webhooks WHERE webhook_id = 'webhook-b'"), 0);
}

TEST_F(MaintenanceTest, FailuresOfWebhooksThatAreGoneAreForgotten) {
    add_attempt("7 days", false, "webhook-gone");
    add_attempt("1 hour", false, "webhook-gone");
    run_once();
    EXPECT_EQ(database_.count("failing_webhooks"), 0);
    EXPECT_EQ(metrics_.webhooks_deactivated.Value(), 0);
}

} // namespace
} // namespace docmap::store
