#include "config/load.hpp"
#include "temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace docmap::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// Loads `text`; problems come back as their lines, with the file called FILE.
class LoadTest : public testing::Test {
  protected:
    std::vector<std::string> problems(const std::string& text, const Environment& environment = {}) {
        const std::string file = folder_.write("config.toml", text);
        const LoadResult result = load(file, environment);
        std::vector<std::string> lines;
        for (const Problem& problem : result.problems) {
            std::string line = problem.text();
            if (line.starts_with(file)) line.replace(0, file.size(), "FILE");
            lines.push_back(line);
        }
        EXPECT_EQ(result.config.has_value(), lines.empty());
        return lines;
    }

    Config config(const std::string& text, const Environment& environment = {}) {
        EXPECT_THAT(problems(text, environment), IsEmpty());
        return load(folder_.write("config.toml", text), environment).config.value();
    }

    TemporaryFolder folder_;
};

TEST_F(LoadTest, AnEmptyFileGivesTheDefaults) {
    EXPECT_EQ(config(""), Config{});
}

TEST_F(LoadTest, ReadsEveryKindOfKey) {
    const Config read = config(R"(
        [kafka]
        brokers = "a:9092,b:9092"
        topics = ["one"]
        max_event_bytes = 2048
        start_from = "latest"
        [postgres]
        url = "host=db dbname=docmap"
        [intake]
        max_bytes = "64MiB"
        [delivery]
        timeout = "250ms"
        max_in_flight = 100
        retry_schedule = ["1s", "2h"]
        allow_http = true
        allow_networks = ["10.0.0.0/8", "fd00::/8"]
        [api]
        listen = "[::1]:0"
        [log]
        level = "debug"
    )");
    EXPECT_EQ(read.kafka.brokers, "a:9092,b:9092");
    EXPECT_THAT(read.kafka.topics, ElementsAre("one"));
    EXPECT_EQ(read.kafka.max_event_bytes, 2048U);
    EXPECT_EQ(read.kafka.start_from, "latest");
    EXPECT_EQ(read.postgres.url, "host=db dbname=docmap");
    EXPECT_EQ(read.intake.max_bytes, 64U * 1024 * 1024);
    EXPECT_EQ(read.delivery.timeout, 250ms);
    EXPECT_EQ(read.delivery.max_in_flight, 100U);
    EXPECT_THAT(read.delivery.retry_schedule, ElementsAre(1s, 2h));
    EXPECT_TRUE(read.delivery.allow_http);
    EXPECT_THAT(read.delivery.allow_networks, ElementsAre("10.0.0.0/8", "fd00::/8"));
    EXPECT_EQ(read.api.listen_address, "::1");
    EXPECT_EQ(read.api.listen_port, 0);
    EXPECT_EQ(read.log.level, "debug");
}

TEST_F(LoadTest, ReportsEveryProblemAtOnceByLine) {
    EXPECT_THAT(
        problems("[delivery]\n"
                 "timeout = \"abc\"\n"
                 "max_in_flight = 0\n"
                 "timout = \"1s\"\n"
                 "allow_http = \"yes\"\n"
                 "[api]\n"
                 "max_body_bytes = \"1TiB\"\n"
                 "[log]\n"
                 "level = \"loud\"\n"
                 "[kafka]\n"
                 "topics = \"one\"\n"),
        ElementsAre("FILE:2: delivery.timeout: \"abc\" is not a duration; use a number with ms, s, m or h, "
                    "such as \"10s\"",
                    "FILE:3: delivery.max_in_flight: 0 is out of range; use 1 to 1000000",
                    "FILE:4: delivery.timout: unknown key; did you mean \"timeout\"?",
                    "FILE:5: delivery.allow_http: \"yes\" is neither true nor false; write one of them, "
                    "without quotes",
                    "FILE:7: api.max_body_bytes: \"1TiB\" is not a size; use a number of bytes, or one with "
                    "KiB, MiB or GiB, such as \"64KiB\"",
                    "FILE:9: log.level: \"loud\" is not allowed; use \"debug\", \"info\", \"warning\" or "
                    "\"error\"",
                    "FILE:11: kafka.topics: \"one\" is not a list of texts; write [\"…\", \"…\"]"));
}

TEST_F(LoadTest, ReportsWrongTypes) {
    EXPECT_THAT(
        problems("[delivery]\n"
                 "timeout = 10\n"
                 "max_in_flight = \"10\"\n"
                 "shards = 1.5\n"
                 "ca_file = true\n"
                 "allow_networks = [1, \"a\"]\n"
                 "dns_cache_ttl = 2025-01-15\n"
                 "[delivery.idle_timeout]\n"),
        ElementsAre(
            "FILE:2: delivery.timeout: 10 is not a duration; use a number with ms, s, m or h, such as "
            "\"10s\"",
            "FILE:3: delivery.max_in_flight: \"10\" is not a whole number; use 1 to 1000000, without "
            "quotes",
            "FILE:4: delivery.shards: a number with a fraction is not a whole number; use 0 to 256, "
            "without quotes",
            "FILE:5: delivery.ca_file: true is not a text; put it in quotes",
            "FILE:6: delivery.allow_networks: a list of mixed things is not a list of texts; write "
            "[\"…\", \"…\"]",
            "FILE:7: delivery.dns_cache_ttl: a date or time is not a duration; use a number with ms, "
            "s, m or h, such as \"10s\"",
            "FILE:8: delivery.idle_timeout: a section is not a duration; use a number with ms, s, m "
            "or h, such as \"10s\""));
}

TEST_F(LoadTest, ReportsValuesOutOfRange) {
    EXPECT_THAT(
        problems("[delivery]\n"
                 "timeout = \"2h\"\n"
                 "retry_schedule = [\"5s\", \"25h\"]\n"
                 "allow_networks = [\"10.0.0.0/8\", \"10.0.0.0/8\"]\n"
                 "max_in_flight = -1\n"
                 "[kafka]\n"
                 "topics = []\n"
                 "max_event_bytes = -1\n"
                 "[intake]\n"
                 "max_bytes = 1\n"
                 "[postgres]\n"
                 "connections = 101\n"),
        ElementsAre("FILE:2: delivery.timeout: \"2h\" is out of range; use 100ms to 1m",
                    "FILE:3: delivery.retry_schedule: \"25h\" is out of range; use 100ms to 24h",
                    "FILE:4: delivery.allow_networks: \"10.0.0.0/8\" is in the list twice; leave one out",
                    "FILE:5: delivery.max_in_flight: -1 is out of range; use 1 to 1000000",
                    "FILE:7: kafka.topics: the list is empty; name at least one",
                    "FILE:8: kafka.max_event_bytes: -1 is out of range; use 1KiB to 64MiB",
                    "FILE:10: intake.max_bytes: 1 is out of range; use 64KiB to 64GiB",
                    "FILE:12: postgres.connections: 101 is out of range; use 1 to 100"));

    std::string schedule;
    for (int i = 0; i < 21; ++i)
        schedule += "\"1s\", ";
    EXPECT_THAT(
        problems("[delivery]\nretry_schedule = [" + schedule + "]\n"),
        ElementsAre("FILE:2: delivery.retry_schedule: the list has 21 entries; at most 20 are allowed"));
    EXPECT_THAT(config("[delivery]\nretry_schedule = []\n").delivery.retry_schedule, IsEmpty());
}

TEST_F(LoadTest, HelpsWithUnknownNames) {
    EXPECT_THAT(
        problems("brokers = \"a\"\n"
                 "verbose = true\n"
                 "kafka = 1\n"
                 "[delivry]\n"
                 "[metrics]\n"
                 "[log]\n"
                 "allow_http = true\n"
                 "colour = true\n"),
        ElementsAre("FILE:1: brokers: unknown key outside of any section; put it under [kafka]",
                    "FILE:2: verbose: unknown key outside of any section; the sections are kafka, postgres, "
                    "intake, delivery, queue, api, secrets, log",
                    "FILE:3: kafka: is a section, not a key; write [kafka]",
                    "FILE:4: delivry: unknown section; did you mean [delivery]?",
                    "FILE:5: metrics: unknown section; the sections are kafka, postgres, intake, delivery, "
                    "queue, api, secrets, log",
                    "FILE:7: log.allow_http: unknown key; it belongs under [delivery]",
                    "FILE:8: log.colour: unknown key; the keys of [log] are level, format"));
}

TEST_F(LoadTest, NamesTheLineThatIsNoToml) {
    const auto lines = problems("[kafka]\nbrokers = \n");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines.front().starts_with("FILE:2: is not valid TOML: ")) << lines.front();
    EXPECT_TRUE(
        problems("[log]\nlevel = \"info\"\nlevel = \"debug\"\n").front().starts_with("FILE:3: is not valid"));
}

TEST_F(LoadTest, ReportsAMissingFileAndStillReadsTheEnvironment) {
    const LoadResult result = load("/nonexistent/config.toml", {{"DOCMAP_WEBHOOKD_LOG_LEVEL", "loud"}});
    ASSERT_EQ(result.problems.size(), 2U);
    EXPECT_EQ(result.problems[0].text(),
              "/nonexistent/config.toml: cannot be read: No such file or directory; name "
              "the configuration file with --config FILE");
    EXPECT_EQ(result.problems[1].text(), "DOCMAP_WEBHOOKD_LOG_LEVEL: log.level: \"loud\" is not allowed; use "
                                         "\"debug\", \"info\", \"warning\" or \"error\"");
    EXPECT_FALSE(result.config);
    EXPECT_EQ(load(folder_.path(), {}).problems.at(0).message,
              "cannot be read: Is a directory; name the configuration file with --config FILE");
}

TEST_F(LoadTest, KeepsOneProblemOnOneLine) {
    EXPECT_THAT(
        problems("[log]\nlevel = \"a\\nb\"\nformat = \"" + std::string(200, 'x') + "\"\n"),
        ElementsAre("FILE:2: log.level: \"a\\x0ab\" is not allowed; use \"debug\", \"info\", \"warning\" or "
                    "\"error\"",
                    "FILE:3: log.format: \"" + std::string(100, 'x') +
                        "…\" is not allowed; use \"json\" or \"text\""));
}

TEST_F(LoadTest, PassesKafkaPropertiesOn) {
    const Config read = config("[kafka.properties]\n"
                               "\"client.id\" = \"a\"\n"
                               "sasl.mechanism = \"PLAIN\"\n"
                               "log_level = 7\n"
                               "\"socket.keepalive.enable\" = true\n");
    EXPECT_THAT(read.kafka.properties, testing::UnorderedElementsAre(
                                           Pair("client.id", "a"), Pair("sasl.mechanism", "PLAIN"),
                                           Pair("log_level", "7"), Pair("socket.keepalive.enable", "true")));
}

TEST_F(LoadTest, KeepsItsOwnKafkaProperties) {
    const std::string commits = "cannot be set: the daemon commits offsets itself; see kafka.commit_interval";
    EXPECT_THAT(
        problems("[kafka.properties]\n"
                 "\"bootstrap.servers\" = \"a\"\n"
                 "group.id = \"a\"\n"
                 "\"auto.offset.reset\" = \"latest\"\n"
                 "\"enable.auto.commit\" = true\n"
                 "\"enable.auto.offset.store\" = true\n"
                 "\"client.id\" = [\"a\"]\n"),
        ElementsAre("FILE:2: kafka.properties.bootstrap.servers: cannot be set: use kafka.brokers",
                    "FILE:3: kafka.properties.group.id: cannot be set: use kafka.group_id",
                    "FILE:4: kafka.properties.auto.offset.reset: cannot be set: use kafka.start_from",
                    "FILE:5: kafka.properties.enable.auto.commit: " + commits,
                    "FILE:6: kafka.properties.enable.auto.offset.store: " + commits,
                    "FILE:7: kafka.properties.client.id: a list is not a property's value; write a text"));
    EXPECT_THAT(problems("[kafka]\nproperties = \"a\"\n"),
                ElementsAre("FILE:2: kafka.properties: is a section; write [kafka.properties]"));
}

TEST_F(LoadTest, ChecksKeysOfTheQueueTogether) {
    EXPECT_THAT(
        problems("[postgres]\n"
                 "retention_days = 7\n"
                 "[delivery]\n"
                 "deactivate_after = \"168h\"\n"
                 "breaker_pause = \"10m\"\n"
                 "[queue]\n"
                 "lease = \"15s\"\n"),
        ElementsAre("FILE: delivery.breaker_max_pause: 5m is below delivery.breaker_pause, 10m; raise it, or "
                    "lower the other",
                    "FILE:4: delivery.deactivate_after: 168h is not below postgres.retention_days, 7; lower "
                    "it, or raise the other",
                    "FILE:7: queue.lease: 15s is below twice delivery.timeout, 10s; raise it"));
    EXPECT_THAT(problems("[delivery]\ntimeout = \"1m\"\n"), IsEmpty()) << "the lease follows the timeout";
}

TEST_F(LoadTest, ChecksKeysTogether) {
    EXPECT_THAT(
        problems("[delivery]\n"
                 "max_in_flight = 10\n"
                 "[intake]\n"
                 "max_bytes = \"64KiB\"\n"
                 "[api]\n"
                 "tls_certificate = \"/nonexistent.pem\"\n"),
        ElementsAre(
            "FILE: delivery.max_in_flight_per_endpoint: 32 is above delivery.max_in_flight, 10; lower "
            "it, or raise the other",
            "FILE:4: intake.max_bytes: 64KiB cannot hold one event of kafka.max_event_bytes, 1MiB; "
            "raise it",
            "FILE:6: api.tls_certificate: needs api.tls_key as well; set both to serve HTTPS, or "
            "neither",
            "FILE:6: api.tls_certificate: /nonexistent.pem cannot be read: No such file or "
            "directory"));
}

} // namespace
} // namespace docmap::config
