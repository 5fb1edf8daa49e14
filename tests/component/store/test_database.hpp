// A database of its own for one test, made in the cluster that DOCMAP_TEST_POSTGRES_URL names and dropped at
// the end.
#pragma once

#include "config/config.hpp"
#include "store/migrations.hpp"

#include <pqxx/connection>
#include <pqxx/nontransaction>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace docmap::test {

enum class Schema { none, current };

/// The cluster's URL without the database's name, which comes last.
inline std::string cluster_url() {
    const char* url = std::getenv("DOCMAP_TEST_POSTGRES_URL");
    if (url == nullptr)
        throw std::runtime_error("DOCMAP_TEST_POSTGRES_URL is not set: run this through tests/run");
    const std::string text = url;
    return text.substr(0, text.rfind('/') + 1);
}

class TestDatabase {
  public:
    /// `options`: as in CREATE DATABASE.
    explicit TestDatabase(Schema schema = Schema::none, const std::string& options = "")
        : name_(unique_name()) {
        administer("CREATE DATABASE " + name_ + " " + options);
        if (schema == Schema::current) migrate();
    }
    ~TestDatabase() { administer("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)"); }
    TestDatabase(const TestDatabase&) = delete;
    TestDatabase& operator=(const TestDatabase&) = delete;

    std::string url() const { return cluster_url() + name_; }

    config::Postgres settings() const {
        config::Postgres settings;
        settings.url = url();
        settings.connections = 2;
        settings.writer_connections = 1;
        settings.retention_days = 36500; // the tests' rows are of one day in the past
        return settings;
    }

    void migrate() const { store::migrate(settings()).value(); }

    /// Runs SQL on a connection of its own.
    pqxx::result execute(const std::string& sql) const {
        pqxx::connection connection(url());
        pqxx::nontransaction autocommit(connection);
        return autocommit.exec(sql);
    }

    int count(const std::string& from) const {
        return execute("SELECT count(*) FROM " + from)[0][0].as<int>();
    }

    /// Ends every other connection to this database and waits until they are gone; the number of them.
    int terminate_connections() const {
        return execute("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
                       "WHERE datname = current_database() AND pid <> pg_backend_pid()")[0][0]
            .as<int>();
    }

  private:
    static std::string unique_name() {
        static std::atomic<int> number{0};
        return "store_test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
    }

    static void administer(const std::string& sql) {
        pqxx::connection connection(cluster_url() + "postgres");
        pqxx::nontransaction autocommit(connection);
        autocommit.exec(sql);
    }

    std::string name_;
};

} // namespace docmap::test
