#include "store/migrations.hpp"
#include "store/schema.hpp"
#include "test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace docmap::store {
namespace {

using test::TestDatabase;
using testing::HasSubstr;
using testing::Not;

std::string message_of(const base::Result<MigrationReport>& result) {
    return result.has_value() ? "" : result.error().message;
}

TEST(Migrations, BringAnEmptyDatabaseToTheNeededVersion) {
    const TestDatabase database;
    EXPECT_THAT(check_database(database.settings()).error().message,
                HasSubstr("database schema is at version 0, this program needs"));

    const MigrationReport report = migrate(database.settings()).value();
    EXPECT_EQ(report.version_before, 0);
    EXPECT_EQ(report.version_after, required_version());
    EXPECT_EQ(report.applied.size(), static_cast<std::size_t>(required_version()));
    EXPECT_EQ(report.applied.front(), "0001_initial.sql");
    EXPECT_TRUE(check_database(database.settings()).has_value());
}

TEST(Migrations, AreAppliedOnce) {
    const TestDatabase database;
    database.migrate();
    const MigrationReport again = migrate(database.settings()).value();
    EXPECT_EQ(again.version_before, required_version());
    EXPECT_TRUE(again.applied.empty());
    EXPECT_EQ(database.count("schema_migrations"), required_version());
}

TEST(Migrations, RunningAtOnceApplyOnce) {
    const TestDatabase database;
    std::vector<std::future<base::Result<MigrationReport>>> runs;
    for (int i = 0; i < 8; ++i)
        runs.push_back(std::async(std::launch::async, [&] { return migrate(database.settings()); }));
    std::size_t applied = 0;
    for (auto& run : runs)
        applied += run.get().value().applied.size();
    EXPECT_EQ(applied, static_cast<std::size_t>(required_version()));
}

TEST(Migrations, ADatabaseNewerThanTheProgramIsRefused) {
    const TestDatabase database;
    database.migrate();
    database.execute(
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, '9999_later.sql', 'x')");
    EXPECT_THAT(
        message_of(migrate(database.settings())),
        HasSubstr("database schema is at version 9999 (9999_later.sql), this program knows versions up to"));
    EXPECT_THAT(check_database(database.settings()).error().message,
                HasSubstr("install the docmap-webhookd that migrated it"));
}

TEST(Migrations, AMigrationAppliedInAnotherFormIsRefused) {
    const TestDatabase database;
    database.migrate();
    database.execute("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1");
    EXPECT_THAT(message_of(migrate(database.settings())),
                HasSubstr("migration 0001_initial.sql was applied"));
}

TEST(Migrations, ADatabaseThatIsNotUtf8IsRefused) {
    const TestDatabase database(test::Schema::none,
                                "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    EXPECT_THAT(message_of(migrate(database.settings())), HasSubstr("encoded in SQL_ASCII"));
}

TEST(Migrations, AnUnreachableDatabaseIsNamedWithoutThePassword) {
    config::Postgres settings;
    settings.url = "postgresql://someone:hidden@127.0.0.1:1/docmap";
    const std::string message = message_of(migrate(settings));
    EXPECT_THAT(message, HasSubstr("Connection refused"));
    EXPECT_THAT(message, Not(HasSubstr("hidden")));
    EXPECT_THAT(message, Not(HasSubstr("\n")));
}

} // namespace
} // namespace docmap::store
