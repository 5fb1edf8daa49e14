#include "core/replay.hpp"
#include "support/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::core {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr base::SystemTime noon{1737374400000ms}; ///< 2025-01-20T12:00:00Z

RecordPtr record_at(base::SystemTime time, std::string_view value, std::int64_t offset = 0) {
    RecordFields fields;
    fields.topic = &test::topic();
    fields.offset = offset;
    fields.timestamp = time;
    fields.value = value;
    return Record::create(fields);
}

std::string event_of(const std::string& user, const std::string& type = "extraction.completed") {
    return R"({"event":")" + type + R"(","userId":")" + user + R"(","extractionId":"x"})";
}

ReplayWebhook webhook_of(const std::string& id, const std::string& user, EventSet events,
                         base::SystemTime created_at = noon) {
    auto webhook = std::make_shared<Webhook>();
    webhook->id = core::WebhookId(id);
    webhook->user_id = user;
    webhook->events = events;
    return {std::move(webhook), created_at};
}

constexpr EventSet completed{EventType::extraction_completed};
constexpr EventSet both{EventType::extraction_completed, EventType::extraction_failed};

TEST(ReplaySelection, CoversFromItsStartUpToItsEnd) {
    ReplaySelection selection;
    EXPECT_TRUE(selection.covers(base::SystemTime{-1ms}));
    selection.from = noon;
    EXPECT_FALSE(selection.covers(noon - 1ms));
    EXPECT_TRUE(selection.covers(noon));
    selection.to = noon + 1s;
    EXPECT_TRUE(selection.covers(noon + 999ms));
    EXPECT_FALSE(selection.covers(noon + 1s));
}

TEST(ReplaySelection, IsStoredAndReadAgain) {
    const ReplaySelection all{noon, noon + 1s, "user \"1\"", "webhook-1", ReplayStatus::failed};
    EXPECT_EQ(parse_replay_selection(to_json(all)).value(), all);
    const ReplaySelection none;
    EXPECT_EQ(to_json(none), R"({"status":"missing"})");
    EXPECT_EQ(parse_replay_selection(to_json(none)).value(), none);
}

TEST(ReplaySelection, IsRefusedWhereItWouldMeanSomethingElse) {
    for (const char* text : {"", "[]", "{}", R"({"status":"some"})", R"({"status":"all","from":"noon"})",
                             R"({"status":"all","to":"1"})"})
        EXPECT_FALSE(parse_replay_selection(text)) << text;
}

TEST(ReplayStatus, HasANameForEach) {
    for (const ReplayStatus status : {ReplayStatus::missing, ReplayStatus::failed, ReplayStatus::all})
        EXPECT_EQ(parse_replay_status(name_of(status)), status);
    EXPECT_EQ(parse_replay_status("Missing"), std::nullopt);
}

TEST(ReplayCounts, AreOneLineAndAreReadAgain) {
    ReplayCounts counts;
    counts.read = 12;
    counts.queued = 9'000'000'000;
    counts.too_old_to_know = 1;
    EXPECT_EQ(format(counts),
              "read=12 matched=0 queued=9000000000 skipped_outside_range=0 skipped_no_event=0 "
              "skipped_other_user=0 skipped_no_webhook=0 skipped_succeeded=0 skipped_failed=0 "
              "skipped_waiting=0 skipped_never_attempted=0 skipped_too_old_to_know=1");
    EXPECT_EQ(parse_replay_counts(to_json(counts)).value(), counts);
    EXPECT_EQ(parse_replay_counts("{}").value(), ReplayCounts{});
    EXPECT_FALSE(parse_replay_counts(R"({"read":-1})"));
    EXPECT_FALSE(parse_replay_counts(R"({"read":"1"})"));
}

TEST(ReplayMatcher, CountsWhyARecordIsSkipped) {
    ReplayMatcher matcher({noon, std::nullopt, "u1", "", ReplayStatus::missing}, 1024);
    ReplayCounts counts;
    EXPECT_FALSE(matcher.match(record_at(noon - 1ms, event_of("u1")), counts));
    EXPECT_FALSE(matcher.match(record_at(noon - 1ms, "no event"), counts));
    EXPECT_EQ(counts.outside_range, 2u);
    EXPECT_FALSE(matcher.match(record_at(noon, "no event"), counts));
    EXPECT_FALSE(matcher.match(record_at(noon, event_of(std::string(2000, 'u'))), counts));
    EXPECT_EQ(counts.no_event, 2u);
    EXPECT_FALSE(matcher.match(record_at(noon, event_of("u2")), counts));
    EXPECT_EQ(counts.other_user, 1u);
    const EventPtr event = matcher.match(record_at(noon, event_of("u1"), 42), counts);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->id(), "extraction.completed-0-42") << "the same id as in the daemon";
    EXPECT_EQ(counts.read, 6u);
}

class Candidates : public testing::Test {
  protected:
    EventPtr event(const std::string& user, const std::string& type = "extraction.completed",
                   base::SystemTime time = noon) {
        ReplayCounts ignored;
        return ReplayMatcher({}, 1024).match(record_at(time, event_of(user, type)), ignored);
    }

    std::vector<ReplayCandidate> find(std::vector<EventPtr> events, std::vector<ReplayWebhook> webhooks,
                                      const ReplaySelection& selection = {}) {
        return find_candidates(events, webhooks, selection, log_start_, counts_);
    }

    base::SystemTime log_start_ = noon - 1h;
    ReplayCounts counts_;
};

TEST_F(Candidates, AreEventsWithTheSubscribedWebhooksOfTheirUsers) {
    const auto found = find({event("u1"), event("u1", "extraction.failed"), event("u2"), event("u3")},
                            {webhook_of("w1", "u1", both), webhook_of("w2", "u1", completed),
                             webhook_of("w3", "u2", {EventType::extraction_failed})});
    std::multiset<std::string> pairs;
    for (const ReplayCandidate& candidate : found)
        pairs.insert(candidate.webhook->id.text() + " " + std::string(name_of(candidate.event->type())));
    EXPECT_EQ(pairs, (std::multiset<std::string>{"w1 extraction.completed", "w1 extraction.failed",
                                                 "w2 extraction.completed"}));
    EXPECT_EQ(counts_.matched, 2u);
    EXPECT_EQ(counts_.no_webhook, 2u);
}

TEST_F(Candidates, AreOfOneWebhookWhereOneIsAskedFor) {
    ReplaySelection selection;
    selection.webhook_id = "w2";
    const auto found =
        find({event("u1")}, {webhook_of("w1", "u1", both), webhook_of("w2", "u1", both)}, selection);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].webhook->id, "w2");
}

TEST_F(Candidates, HaveAKnownHistoryWhileTheDeliveryLogReachesBack) {
    const auto old_time = log_start_ - 1ms;
    const auto known = [&](base::SystemTime event_time, base::SystemTime webhook_created_at) {
        return find({event("u1", "extraction.completed", event_time)},
                    {webhook_of("w1", "u1", both, webhook_created_at)})[0]
            .history_is_known;
    };
    EXPECT_TRUE(known(log_start_, old_time));
    EXPECT_TRUE(known(old_time, log_start_)) << "all its attempts are younger than it";
    EXPECT_FALSE(known(old_time, old_time));
}

struct Choice {
    ReplayStatus status;
    DeliveryState state;
    bool history_is_known;
    bool chosen;
    std::uint64_t ReplayCounts::*counted;
};

class Chosen : public testing::TestWithParam<Choice> {};

TEST_P(Chosen, ByStatusAndState) {
    const Choice& choice = GetParam();
    ReplayCounts counts;
    EXPECT_EQ(is_chosen({nullptr, nullptr, choice.history_is_known}, choice.state, choice.status, counts),
              choice.chosen);
    ReplayCounts expected;
    if (!choice.chosen) expected.*choice.counted = 1;
    EXPECT_EQ(format(counts), format(expected));
}

using enum ReplayStatus;
INSTANTIATE_TEST_SUITE_P(
    EveryCase, Chosen,
    testing::Values(
        Choice{missing, DeliveryState::never_attempted, true, true, nullptr},
        Choice{missing, DeliveryState::never_attempted, false, false, &ReplayCounts::too_old_to_know},
        Choice{missing, DeliveryState::failed, true, false, &ReplayCounts::failed},
        Choice{missing, DeliveryState::succeeded, true, false, &ReplayCounts::succeeded},
        Choice{missing, DeliveryState::waiting, true, false, &ReplayCounts::waiting},
        Choice{failed, DeliveryState::never_attempted, true, false, &ReplayCounts::never_attempted},
        Choice{failed, DeliveryState::never_attempted, false, false, &ReplayCounts::too_old_to_know},
        Choice{failed, DeliveryState::failed, true, true, nullptr},
        Choice{failed, DeliveryState::succeeded, true, false, &ReplayCounts::succeeded},
        Choice{failed, DeliveryState::waiting, true, false, &ReplayCounts::waiting},
        Choice{all, DeliveryState::never_attempted, false, true, nullptr},
        Choice{all, DeliveryState::failed, true, true, nullptr},
        Choice{all, DeliveryState::succeeded, true, true, nullptr},
        Choice{all, DeliveryState::waiting, true, false, &ReplayCounts::waiting}));

} // namespace
} // namespace docmap::core
