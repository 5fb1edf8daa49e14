#include "daemon/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace docmap::daemon {
namespace {

using namespace std::chrono_literals;
using core::ReplayStatus;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr base::SystemTime noon{1737374400000ms}; ///< 2025-01-20T12:00:00Z

constexpr const char* existing_file = DOCMAP_SOURCE_DIR "/CMakeLists.txt";

ParsedCommandLine parse(std::initializer_list<const char*> arguments) {
    std::vector<const char*> all{"docmap-webhookd"};
    all.insert(all.end(), arguments);
    return parse_command_line(static_cast<int>(all.size()), all.data());
}

/// What is said about a command line that is refused.
std::string refusal(std::initializer_list<const char*> arguments) {
    testing::internal::CaptureStderr();
    const ParsedCommandLine parsed = parse(arguments);
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_FALSE(parsed.options.has_value());
    EXPECT_EQ(parsed.exit_code, exit_usage);
    return text;
}

TEST(ReplayCommandLine, IsReadWithAllItsOptions) {
    const auto parsed =
        parse({"replay", "--from", "2025-01-20T12:00:00Z", "--to", "2025-01-20T14:00:00+01:00", "--user", "u",
               "--webhook", "w", "--status", "failed", "--dry-run", "--config", "x.toml"});
    ASSERT_TRUE(parsed.options);
    EXPECT_EQ(parsed.options->command, Command::replay);
    EXPECT_EQ(parsed.options->config_file, "x.toml");
    const ReplayOptions& replay = parsed.options->replay;
    EXPECT_EQ(replay.selection, (core::ReplaySelection{noon, noon + 1h, "u", "w", ReplayStatus::failed}));
    EXPECT_TRUE(replay.dry_run);
    EXPECT_EQ(replay.resume_id, "");
}

TEST(ReplayCommandLine, SinceIsFromWithoutAnEnd) {
    const auto parsed = parse({"replay", "--since", "2025-01-20 12:00:00Z"});
    ASSERT_TRUE(parsed.options);
    EXPECT_EQ(parsed.options->replay.selection,
              (core::ReplaySelection{noon, std::nullopt, "", "", ReplayStatus::missing}));
}

TEST(ReplayCommandLine, ResumeNeedsNothingElse) {
    const auto parsed = parse({"replay", "--resume", "replay-1", "--dry-run"});
    ASSERT_TRUE(parsed.options);
    EXPECT_EQ(parsed.options->replay.resume_id, "replay-1");
    EXPECT_TRUE(parsed.options->replay.dry_run);
}

TEST(ReplayCommandLine, RefusesWhatMakesNoSense) {
    EXPECT_THAT(refusal({"replay"}), HasSubstr("at least one of --from, --since, --user, --webhook"));
    EXPECT_THAT(refusal({"replay", "--status", "all"}), HasSubstr("at least one of"));
    EXPECT_THAT(refusal({"replay", "--to", "2025-01-20T12:00:00Z"}), HasSubstr("at least one of"));
    EXPECT_THAT(refusal({"replay", "--from", "2025-01-20"}), HasSubstr("\"2025-01-20\" is no time"));
    EXPECT_THAT(refusal({"replay", "--from", "2025-01-20T12:00:00"}), HasSubstr("is no time"));
    EXPECT_THAT(refusal({"replay", "--user", "u", "--status", "lost"}), HasSubstr("lost"));
    EXPECT_THAT(refusal({"replay", "--from", "2025-01-20T12:00:00Z", "--to", "2025-01-20T12:00:00Z"}),
                HasSubstr("--from 2025-01-20T12:00:00.000Z is not before --to 2025-01-20T12:00:00.000Z"));
    for (const char* other : {"--from", "--to"})
        EXPECT_THAT(refusal({"replay", "--since", "2025-01-20T12:00:00Z", other, "2025-01-21T12:00:00Z"}),
                    HasSubstr("excludes"));
    EXPECT_THAT(refusal({"replay", "--resume", "r", "--webhook", "w"}), HasSubstr("excludes"));
    EXPECT_THAT(refusal({"replay", "--resume", "r", "--status", "all"}), HasSubstr("excludes"));
}

TEST(RejectedCommandLine, ListsWithItsFilters) {
    const auto plain = parse({"rejected", "list"});
    ASSERT_TRUE(plain.options);
    EXPECT_EQ(plain.options->command, Command::rejected_list);
    EXPECT_EQ(plain.options->rejected_list.limit, 50u);
    EXPECT_FALSE(plain.options->rejected_list.all);

    const auto full = parse({"rejected", "list", "--limit", "7", "--topic", "t", "--since",
                             "2025-01-20T12:00:00Z", "--all", "--config", "x.toml"});
    ASSERT_TRUE(full.options);
    EXPECT_EQ(full.options->rejected_list.limit, 7u);
    EXPECT_EQ(full.options->rejected_list.topic, "t");
    EXPECT_EQ(full.options->rejected_list.since, noon);
    EXPECT_TRUE(full.options->rejected_list.all);
    EXPECT_EQ(full.options->config_file, "x.toml");
}

TEST(RejectedCommandLine, ReplaysByIdOrAll) {
    const auto some = parse({"rejected", "replay", "3", "5", "--again"});
    ASSERT_TRUE(some.options);
    EXPECT_EQ(some.options->command, Command::rejected_replay);
    EXPECT_THAT(some.options->rejected_replay.ids, ElementsAre(3, 5));
    EXPECT_TRUE(some.options->rejected_replay.again);
    const auto all = parse({"rejected", "replay", "--all"});
    ASSERT_TRUE(all.options);
    EXPECT_TRUE(all.options->rejected_replay.all);
    const auto corrected = parse({"rejected", "replay", "3", "--value-file", existing_file});
    ASSERT_TRUE(corrected.options);
    EXPECT_EQ(corrected.options->rejected_replay.value_file, existing_file);
}

TEST(RejectedCommandLine, RefusesWhatMakesNoSense) {
    EXPECT_THAT(refusal({"rejected"}), HasSubstr("subcommand"));
    EXPECT_THAT(refusal({"rejected", "list", "--limit", "0"}), HasSubstr("--limit"));
    EXPECT_THAT(refusal({"rejected", "replay"}), HasSubstr("Give their ids"));
    EXPECT_THAT(refusal({"rejected", "replay", "0"}), HasSubstr("id"));
    EXPECT_THAT(refusal({"rejected", "replay", "one"}), HasSubstr("one"));
    EXPECT_THAT(refusal({"rejected", "replay", "--all", "3"}), HasSubstr("excludes"));
    EXPECT_THAT(refusal({"rejected", "replay", "--all", "--value-file", existing_file}),
                HasSubstr("one record"));
    EXPECT_THAT(refusal({"rejected", "replay", "3", "5", "--value-file", existing_file}),
                HasSubstr("one record"));
    EXPECT_THAT(refusal({"rejected", "replay", "3", "--value-file", "/no/such/file"}),
                HasSubstr("/no/such/file"));
}

} // namespace
} // namespace docmap::daemon
