// What happens while the database is away, and that everything works again by itself when it is back.
#include "gated_database.hpp"
#include "harness.hpp"
#include "rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>

namespace docmap::store {
namespace {

using test::eventually;
using test::GatedDatabase;
using test::Instance;
using test::make_attempt;
using test::Schema;
using test::TestDatabase;
using testing::HasSubstr;
using testing::Not;

std::string write_one(Instance& instance, std::int64_t offset) {
    return instance.write(instance.store().attempt_log(), {make_attempt({.offset = offset})});
}

TEST(Outages, ADatabaseAwayAtTheStartIsNamedAndConnectedLater) {
    GatedDatabase database;
    Instance instance(database.settings());
    ASSERT_TRUE(
        eventually([&] { return instance.detail().find("Connection refused") != std::string::npos; }));
    EXPECT_FALSE(instance.ready());
    EXPECT_THAT(write_one(instance, 1), HasSubstr("database unavailable: "));
    EXPECT_TRUE(eventually([&] { return instance.listener().missed() > 0; })) << "nothing can be heard";

    database.gate().open();
    ASSERT_TRUE(instance.become_ready());
    EXPECT_EQ(instance.detail(), "");
    EXPECT_EQ(write_one(instance, 1), "");
}

TEST(Outages, ADatabaseThatGoesAwayIsNoticedWithoutTrafficAndReturns) {
    GatedDatabase database;
    database.gate().open();
    Instance instance(database.settings());
    ASSERT_TRUE(instance.become_ready());

    database.gate().close();
    ASSERT_TRUE(eventually([&] { return !instance.ready(); }));
    EXPECT_NE(instance.detail(), "");
    ASSERT_TRUE(eventually([&] { return !write_one(instance, 1).empty(); }));
    const auto failed = instance.load({"uid_1"});
    EXPECT_FALSE(failed.has_value());
    const auto user = instance.loop().wait(instance.store().api_keys().find_user({}));
    EXPECT_EQ(user.error(), ports::RepositoryError::unavailable);

    database.gate().open();
    ASSERT_TRUE(instance.become_ready());
    ASSERT_EQ(write_one(instance, 1), "");
    EXPECT_EQ(database.direct().count("deliveries"), 1);
}

TEST(Outages, ConnectionsEndedByTheServerWhileIdleCostNoJob) {
    const TestDatabase database(Schema::current);
    Instance instance(database.settings());
    ASSERT_TRUE(instance.become_ready());
    for (int round = 0; round < 5; ++round) {
        database.terminate_connections();
        EXPECT_EQ(write_one(instance, round), "");
        EXPECT_TRUE(instance.load({"uid_1"}).has_value());
    }
    EXPECT_EQ(database.count("deliveries"), 5);
}

TEST(Outages, AConnectionEndedInTheMiddleOfABatchFailsItAndTheNextTrySucceeds) {
    const TestDatabase database(Schema::current);
    Instance instance(database.settings());
    ASSERT_TRUE(instance.become_ready());
    // Holds the insert up until its connection is ended.
    pqxx::connection blocker(database.url());
    auto lock = std::make_unique<pqxx::work>(blocker);
    lock->exec("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE");
    auto written = std::async(std::launch::async, [&] { return write_one(instance, 1); });
    const std::string waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND query LIKE 'INSERT INTO deliveries%'";
    ASSERT_TRUE(eventually([&] { return database.count(waiting) == 1; }));
    database.execute("SELECT pg_terminate_backend(pid) FROM " + waiting);
    EXPECT_THAT(written.get(), HasSubstr("database unavailable: "));

    lock.reset();
    EXPECT_EQ(write_one(instance, 1), "");
    EXPECT_EQ(database.count("deliveries"), 1);
    EXPECT_TRUE(instance.become_ready());
}

TEST(Outages, AStatementThatTakesTooLongFailsAndTheConnectionStays) {
    const TestDatabase database(Schema::current);
    auto settings = database.settings();
    settings.statement_timeout = std::chrono::milliseconds{200};
    Instance instance(settings);
    ASSERT_TRUE(instance.become_ready());
    {
        pqxx::connection blocker(database.url());
        pqxx::work lock(blocker);
        lock.exec("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE");
        EXPECT_THAT(write_one(instance, 1), HasSubstr("statement timeout"));
        EXPECT_TRUE(instance.ready());
    }
    EXPECT_EQ(write_one(instance, 1), "");
}

// As a process does that is stopped (SIGSTOP) in the middle of a batch: the locks are the other instances'
// soon.
TEST(Outages, ATransactionThatStandsStillIsEndedSoon) {
    const TestDatabase database(Schema::current);
    auto settings = database.settings();
    settings.statement_timeout = std::chrono::minutes{1};
    Connection stopped(connection_parameters(settings, Planning::once).value());
    pqxx::work transaction(stopped.native());
    transaction.exec("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(database.count("deliveries"), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
    EXPECT_THROW(transaction.commit(), pqxx::failure);
}

TEST(Outages, AMissingSchemaIsNamedAndMigratingIsEnough) {
    const TestDatabase database;
    Instance instance(database.settings());
    ASSERT_TRUE(eventually([&] { return instance.detail() != "connecting"; }));
    EXPECT_THAT(instance.detail(), HasSubstr("database schema is at version 0, this program needs "));
    EXPECT_THAT(instance.detail(), HasSubstr(": run docmap-webhookd migrate"));
    database.migrate();
    ASSERT_TRUE(instance.become_ready());
    EXPECT_EQ(write_one(instance, 1), "");
}

TEST(Outages, AMalformedUrlIsNotRepeated) {
    config::Postgres settings;
    settings.url = "postgresql://user:hidden@[::1/docmap";
    Instance instance(settings);
    ASSERT_TRUE(eventually([&] { return instance.detail() != "connecting"; }));
    EXPECT_THAT(instance.detail(), HasSubstr("postgres.url is not a connection URL"));
    EXPECT_THAT(instance.detail(), Not(HasSubstr("hidden")));
}

TEST(Outages, StoppingEndsWhatIsQueuedAndWhatHangs) {
    GatedDatabase database;
    database.gate().open();
    Instance instance(database.settings());
    ASSERT_TRUE(instance.become_ready());
    database.gate().freeze();
    std::vector<std::future<std::string>> writes;
    for (int i = 0; i < 5; ++i)
        writes.push_back(std::async(std::launch::async, [&instance, i] { return write_one(instance, i); }));
    const auto start = std::chrono::steady_clock::now();
    ASSERT_EQ(writes[0].wait_for(std::chrono::milliseconds{50}), std::future_status::timeout);
    instance.store().stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
    for (auto& write : writes)
        EXPECT_THAT(write.get(), HasSubstr("database unavailable: "));
    EXPECT_THAT(write_one(instance, 9), HasSubstr("shutting down"));
}

/// As where the server's storage stands still: the connections stand too, and the system answers for them.
TEST(Outages, AServerThatHangsFailsTheJobAndIsConnectedToAnew) {
    GatedDatabase database;
    database.gate().open();
    database.settings().statement_timeout = std::chrono::milliseconds{200};
    database.settings().writer_connections = 1;
    Instance instance(database.settings());
    ASSERT_TRUE(instance.become_ready());
    ASSERT_EQ(write_one(instance, 1), "");

    database.gate().freeze();
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THAT(write_one(instance, 2), HasSubstr("database unavailable: "));
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_GE(took, std::chrono::milliseconds{600}) << "a job may take three times a statement's time";
    EXPECT_LT(took, std::chrono::seconds{5});
    EXPECT_TRUE(eventually([&] { return !instance.ready(); }));

    database.gate().thaw();
    ASSERT_TRUE(instance.become_ready());
    EXPECT_EQ(write_one(instance, 2), "");
    EXPECT_EQ(database.direct().count("deliveries"), 2);
}

/// Breaking off those that hang must not meet those that work.
TEST(Outages, JobsOneAfterTheOtherMayTakeLongerThanOneMay) {
    const TestDatabase database(Schema::current);
    auto settings = database.settings();
    settings.statement_timeout = std::chrono::milliseconds{100};
    settings.writer_connections = 1;
    Instance instance(settings);
    ASSERT_TRUE(instance.become_ready());
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{1};
    for (std::int64_t offset = 1; std::chrono::steady_clock::now() < end; ++offset)
        ASSERT_EQ(write_one(instance, offset), "");
}

TEST(Outages, AFullQueueRefusesAtOnce) {
    const TestDatabase database(Schema::current);
    auto settings = database.settings();
    settings.max_queued_jobs = 2;
    Instance instance(settings);
    ASSERT_TRUE(instance.become_ready());
    auto blocker = std::make_unique<pqxx::connection>(database.url());
    auto lock = std::make_unique<pqxx::work>(*blocker);
    lock->exec("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE");
    std::vector<std::future<std::string>> writes;
    for (int i = 0; i < 8; ++i)
        writes.push_back(std::async(std::launch::async, [&instance, i] { return write_one(instance, i); }));
    const auto finished = [&] {
        return std::count_if(writes.begin(), writes.end(), [](auto& write) {
            return write.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
        });
    };
    // One is at work and two wait; the first may have waited beside two others for a moment.
    EXPECT_TRUE(eventually([&] { return finished() >= 5; }));
    lock.reset();
    int stored = 0;
    for (auto& write : writes) {
        const std::string message = write.get();
        stored += message.empty() ? 1 : 0;
        EXPECT_THAT(message, testing::AnyOf("", HasSubstr("postgres.max_queued_jobs")));
    }
    EXPECT_GE(stored, 2);
    EXPECT_LE(stored, 3);
}

} // namespace
} // namespace docmap::store
