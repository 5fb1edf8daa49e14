#include "config/environment.hpp"
#include "config/load.hpp"
#include "temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace docmap::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class EnvironmentTest : public testing::Test {
  protected:
    LoadResult load_with(const Environment& environment, const std::string& text = "") {
        return load(folder_.write("config.toml", text), environment);
    }

    std::vector<std::string> problems(const Environment& environment) {
        std::vector<std::string> lines;
        for (const Problem& problem : load_with(environment).problems)
            lines.push_back(problem.text());
        return lines;
    }

    TemporaryFolder folder_;
};

TEST_F(EnvironmentTest, OverridesEveryKindOfKey) {
    const LoadResult result = load_with(
        {
            {"DOCMAP_WEBHOOKD_DELIVERY_TIMEOUT", "5s"},
            {"DOCMAP_WEBHOOKD_DELIVERY_MAX_IN_FLIGHT", "64"},
            {"DOCMAP_WEBHOOKD_DELIVERY_ALLOW_HTTP", "true"},
            {"DOCMAP_WEBHOOKD_DELIVERY_RETRY_SCHEDULE", ""},
            {"DOCMAP_WEBHOOKD_KAFKA_TOPICS", "one, two"},
            {"DOCMAP_WEBHOOKD_KAFKA_MAX_EVENT_BYTES", "2048"},
            {"DOCMAP_WEBHOOKD_INTAKE_MAX_BYTES", "64MiB"},
            {"DOCMAP_WEBHOOKD_API_LISTEN", "[::]:9000"},
            {"DOCMAP_WEBHOOKD_POSTGRES_URL", "postgresql://user:p@db/docmap"},
        },
        "[delivery]\ntimeout = \"20s\"\nallow_http = false\nshards = 2\n");
    ASSERT_TRUE(result.config);
    const Config& config = *result.config;
    EXPECT_EQ(config.delivery.timeout, 5s);
    EXPECT_EQ(config.delivery.max_in_flight, 64U);
    EXPECT_TRUE(config.delivery.allow_http);
    EXPECT_THAT(config.delivery.retry_schedule, IsEmpty());
    EXPECT_EQ(config.delivery.shards, 2U);
    EXPECT_THAT(config.kafka.topics, ElementsAre("one", "two"));
    EXPECT_EQ(config.kafka.max_event_bytes, 2048U);
    EXPECT_EQ(config.intake.max_bytes, 64U * 1024 * 1024);
    EXPECT_EQ(config.api.listen_address, "::");
    EXPECT_EQ(config.api.listen_port, 9000);
    EXPECT_EQ(config.postgres.url, "postgresql://user:p@db/docmap");
}

TEST_F(EnvironmentTest, NamesTheVariableThatIsWrong) {
    EXPECT_THAT(
        problems({{"DOCMAP_WEBHOOKD_DELIVERY_TIMEOUT", "abc"},
                  {"DOCMAP_WEBHOOKD_DELIVERY_SHARDS", "many"},
                  {"DOCMAP_WEBHOOKD_DELIVERY_ALLOW_HTTP", "yes"},
                  {"DOCMAP_WEBHOOKD_KAFKA_TOPICS", "one,,two"}}),
        ElementsAre(
            "DOCMAP_WEBHOOKD_DELIVERY_ALLOW_HTTP: delivery.allow_http: \"yes\" is neither true nor false; "
            "write one of them, without quotes",
            "DOCMAP_WEBHOOKD_DELIVERY_SHARDS: delivery.shards: \"many\" is not a whole number; use 0 to 256, "
            "without quotes",
            "DOCMAP_WEBHOOKD_DELIVERY_TIMEOUT: delivery.timeout: \"abc\" is not a duration; use a number "
            "with ms, s, m or h, such as \"10s\"",
            "DOCMAP_WEBHOOKD_KAFKA_TOPICS: kafka.topics: \"\" is not a topic's name; use 1 to 249 letters, "
            "digits, dots, hyphens and underscores"));
}

TEST_F(EnvironmentTest, ReportsUnknownVariables) {
    EXPECT_THAT(
        problems({{"DOCMAP_WEBHOOKD_DELIVERY_TIMOUT", "5s"},
                  {"DOCMAP_WEBHOOKD_DELIVRY_TIMEOUT", "5s"},
                  {"DOCMAP_WEBHOOKD_KAFKA_PROPERTIES_CLIENT_ID", "a"},
                  {"DOCMAP_WEBHOOKD_LOG_COLOUR", "true"}}),
        ElementsAre("DOCMAP_WEBHOOKD_DELIVERY_TIMOUT: unknown variable; did you mean "
                    "DOCMAP_WEBHOOKD_DELIVERY_TIMEOUT?",
                    "DOCMAP_WEBHOOKD_DELIVRY_TIMEOUT: unknown variable; did you mean "
                    "DOCMAP_WEBHOOKD_DELIVERY_TIMEOUT?",
                    "DOCMAP_WEBHOOKD_KAFKA_PROPERTIES_CLIENT_ID: [kafka.properties] can be set in the file "
                    "only",
                    "DOCMAP_WEBHOOKD_LOG_COLOUR: unknown variable; no key of the configuration has this "
                    "name"));
}

TEST_F(EnvironmentTest, LeavesOtherVariablesAlone) {
    EXPECT_THAT(problems({{"DOCMAP_TIMEOUT", "x"},
                          {"DOCMAP_WEBHOOKD_PORT", "tcp://10.0.0.1:8080"},
                          {"DOCMAP_WEBHOOKD_SERVICE_HOST", "10.0.0.1"},
                          {"DOCMAP_WEBHOOKD_API_PORT_8080_TCP_ADDR", "10.0.0.1"},
                          {"DOCMAP_WEBHOOKD_API_SERVICE_HOST", "10.0.0.1"},
                          {"DOCMAP_WEBHOOKD_API_SERVICE_PORT_HTTP", "8080"},
                          {"PATH", "/bin"}}),
                IsEmpty());
}

TEST_F(EnvironmentTest, NeverShowsAPassword) {
    const std::vector<std::string> lines =
        problems({{"DOCMAP_WEBHOOKD_POSTGRES_URL", "user:hunter2@db/docmap"}});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines.front().starts_with("DOCMAP_WEBHOOKD_POSTGRES_URL: postgres.url: is neither a URL"))
        << lines.front();
    EXPECT_EQ(lines.front().find("hunter2"), std::string::npos);
}

TEST_F(EnvironmentTest, TakesTheDatabaseFromTheCredentialLast) {
    const Environment credential = {{"CREDENTIALS_DIRECTORY", folder_.path().string()}};
    EXPECT_EQ(load_with(credential).config.value().postgres.url, "postgresql:///docmap");

    folder_.write("postgres-url", "postgresql://credential/docmap\n");
    EXPECT_EQ(load_with(credential).config.value().postgres.url, "postgresql://credential/docmap");

    const std::string file = "[postgres]\nurl = \"postgresql://file/docmap\"\n";
    EXPECT_EQ(load_with(credential, file).config.value().postgres.url, "postgresql://file/docmap");

    Environment both = credential;
    both["DOCMAP_WEBHOOKD_POSTGRES_URL"] = "postgresql://environment/docmap";
    EXPECT_EQ(load_with(both, file).config.value().postgres.url, "postgresql://environment/docmap");
}

TEST_F(EnvironmentTest, NamesTheCredentialThatIsWrong) {
    const Environment credential = {{"CREDENTIALS_DIRECTORY", folder_.path().string()}};
    const std::string path = folder_.write("postgres-url", "docmap");
    const std::vector<std::string> lines = problems(credential);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines.front().starts_with(path + ": postgres.url: is neither a URL")) << lines.front();

    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    EXPECT_THAT(problems(credential), ElementsAre(path + ": postgres.url: cannot be read: Is a directory"));
}

TEST(ProcessEnvironment, HoldsTheProcesssVariables) {
    ASSERT_EQ(setenv("DOCMAP_TEST_VARIABLE", "a=b", 1), 0);
    EXPECT_EQ(process_environment().at("DOCMAP_TEST_VARIABLE"), "a=b");
    unsetenv("DOCMAP_TEST_VARIABLE");
    EXPECT_FALSE(process_environment().contains("DOCMAP_TEST_VARIABLE"));
}

} // namespace
} // namespace docmap::config
