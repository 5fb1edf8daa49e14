// What a replay stores: rows of the delivery queue together with its own position, and what it finds
// recorded.
#include "harness.hpp"
#include "rows.hpp"
#include "store/replay_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace docmap::store {
namespace {

using core::ReplayStatus;
using test::AttemptSpec;
using test::Instance;
using test::make_attempt;
using test::make_delivery;
using test::make_parked;
using test::Schema;
using test::TestDatabase;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr base::SystemTime start{1737383404123ms};
const std::string webhook = "webhook-aaaaaaaaaaaa";

std::vector<core::ReplayCandidate> candidates_of(std::initializer_list<std::int64_t> offsets,
                                                 const AttemptSpec& spec = {}) {
    std::vector<core::ReplayCandidate> candidates;
    for (const std::int64_t offset : offsets) {
        AttemptSpec one = spec;
        one.offset = offset;
        const core::Delivery delivery = make_delivery(one);
        candidates.push_back({delivery.event, delivery.webhook});
    }
    return candidates;
}

ReplayPosition position(std::int64_t next) {
    return {"extraction.completed", 3, 0, next, 100};
}

class Replays : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(instance_.become_ready());
        queue_ = ReplayQueue::open(database_.settings()).value();
        id_ = queue_->begin(selection_, std::vector{position(0)}).value().id;
    }

    core::ReplayCounts queue(std::initializer_list<std::int64_t> offsets,
                             ReplayStatus status = ReplayStatus::missing) {
        const auto candidates = candidates_of(offsets);
        return queue_->queue(id_, {candidates, status, {}}, std::vector{position(50)}).value();
    }

    void record(std::vector<core::AttemptRecord> attempts) {
        ASSERT_EQ(instance_.write(instance_.store().attempt_log(), std::move(attempts)), "");
    }

    std::vector<std::int64_t> queued_offsets() const {
        std::vector<std::int64_t> offsets;
        for (const auto& row : database_.execute("SELECT kafka_offset FROM delivery_queue ORDER BY id"))
            offsets.push_back(row[0].as<std::int64_t>());
        return offsets;
    }

    TestDatabase database_{Schema::current};
    Instance instance_{database_.settings()};
    std::unique_ptr<ReplayQueue> queue_;
    core::ReplaySelection selection_{start, std::nullopt, "uid_1", "", ReplayStatus::failed};
    std::string id_;
};

TEST_F(Replays, QueueFirstAttemptsThatAreDueNowAndTellTheDaemons) {
    const core::ReplayCounts counts = queue({7, 5});
    EXPECT_EQ(counts.queued, 2u);
    EXPECT_THAT(queued_offsets(), ElementsAre(7, 5)) << "in the order of the candidates";
    const auto row = database_.execute(
        "SELECT attempt, due_at <= now() AND due_at > now() - interval '1 minute', webhook_id, user_id, "
        "event_id, "
        "topic, partition, body_hash, encode(body, 'escape') FROM delivery_queue WHERE kafka_offset = 7")[0];
    EXPECT_EQ(row[0].as<int>(), 1);
    EXPECT_TRUE(row[1].as<bool>());
    EXPECT_EQ(row[2].as<std::string>(), webhook);
    EXPECT_EQ(row[3].as<std::string>(), "uid_1");
    EXPECT_EQ(row[4].as<std::string>(), "evt_7");
    EXPECT_EQ(row[5].as<std::string>(), "extraction.completed");
    EXPECT_EQ(row[6].as<int>(), 3);
    EXPECT_EQ(row[7].as<std::int64_t>(), -2);
    EXPECT_EQ(row[8].as<std::string>(), "{}");
    const auto endpoint = database_.execute(
        "SELECT webhook_id, user_id, owner IS NULL, due_at <= now() FROM queued_endpoints")[0];
    EXPECT_EQ(endpoint[0].as<std::string>(), webhook);
    EXPECT_EQ(endpoint[1].as<std::string>(), "uid_1");
    EXPECT_TRUE(endpoint[2].as<bool>() && endpoint[3].as<bool>());
    EXPECT_TRUE(test::eventually([this] { return instance_.listener().queue_changes() == 1; }, 1s));
    EXPECT_EQ(instance_.listener().missed(), 1) << "the cached webhooks are still to be trusted";
}

TEST_F(Replays, QueueNothingThatIsRecordedOrWaits) {
    record({make_attempt({.offset = 1}), make_attempt({.offset = 2, .http_status = 500}),
            make_attempt({.offset = 3, .http_status = 500, .next_attempt_at = start + 5s}),
            make_attempt({.offset = 4, .http_status = 500}), make_attempt({.offset = 4, .attempt = 2})});
    ASSERT_EQ(instance_.write(instance_.store().parked_log(), {make_parked({.offset = 5}, start)}), "");
    const core::ReplayCounts missing = queue({1, 2, 3, 4, 5, 6});
    EXPECT_EQ(missing.succeeded, 2u);
    EXPECT_EQ(missing.failed, 1u);
    EXPECT_EQ(missing.waiting, 2u);
    EXPECT_EQ(missing.queued, 1u);
    EXPECT_THAT(queued_offsets(), ElementsAre(3, 5, 6));
    const core::ReplayCounts failed = queue({1, 2, 3, 4, 5, 6, 7}, ReplayStatus::failed);
    EXPECT_EQ(failed.queued, 1u);
    EXPECT_EQ(failed.waiting, 3u);
    EXPECT_EQ(failed.succeeded, 2u);
    EXPECT_EQ(failed.never_attempted, 1u);
    EXPECT_THAT(queued_offsets(), ElementsAre(3, 5, 6, 2));
    const core::ReplayCounts all = queue({1, 2, 3, 4, 5, 6, 7}, ReplayStatus::all);
    EXPECT_EQ(all.queued, 3u);
    EXPECT_EQ(all.waiting, 4u);
}

TEST_F(Replays, TellAnotherBodyAndAnotherWebhookApart) {
    record({make_attempt({.offset = 1})});
    AttemptSpec other;
    other.webhook_id = "webhook-bbbbbbbbbbbb";
    const auto candidates = candidates_of({1}, other);
    EXPECT_EQ(queue_->queue(id_, {candidates, ReplayStatus::missing, {}}, {}).value().queued, 1u);
    database_.execute("UPDATE deliveries SET body_hash = 5");
    EXPECT_EQ(queue({1}).queued, 1u) << "a topic that was made anew has other records at the same offsets";
}

TEST_F(Replays, StoreTheirPositionWithWhatTheyQueue) {
    core::ReplayCounts before;
    before.read = 10;
    const auto candidates = candidates_of({1, 2});
    const auto counts =
        queue_->queue(id_, {candidates, ReplayStatus::missing, before}, std::vector{position(50)}).value();
    EXPECT_EQ(counts.read, 10u);
    const StoredReplay stored = queue_->load(id_).value();
    EXPECT_EQ(stored.selection, selection_);
    EXPECT_EQ(stored.counts, counts);
    EXPECT_THAT(stored.positions, ElementsAre(position(50)));
    EXPECT_FALSE(stored.finished_at);
}

TEST_F(Replays, StoreNothingWhereOnePartFails) {
    database_.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                      "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$");
    database_.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON replays FOR EACH ROW EXECUTE FUNCTION refuse()");
    const auto candidates = candidates_of({1, 2});
    const auto failed =
        queue_->queue(id_, {candidates, ReplayStatus::missing, {}}, std::vector{position(50)});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("the disk is full"));
    EXPECT_EQ(database_.count("delivery_queue"), 0);
    EXPECT_EQ(database_.count("queued_endpoints"), 0);
    EXPECT_THAT(queue_->load(id_).value().positions, ElementsAre(position(0)));
}

TEST_F(Replays, PreviewCountsTheSameAndChangesNothing) {
    record({make_attempt({.offset = 1})});
    const auto candidates = candidates_of({1, 2, 3});
    const auto preview = queue_->preview({candidates, ReplayStatus::missing, {}}).value();
    EXPECT_EQ(preview.queued, 2u);
    EXPECT_EQ(preview.succeeded, 1u);
    EXPECT_EQ(database_.count("delivery_queue"), 0);
    EXPECT_EQ(queue({1, 2, 3}), preview);
}

TEST_F(Replays, AreOneProcessOnlyAtATime) {
    auto other = ReplayQueue::open(database_.settings()).value();
    const auto refused = other->resume(id_);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("is running in another process"));
    EXPECT_TRUE(other->load(id_)) << "looking is allowed";
    queue_.reset();
    EXPECT_TRUE(test::eventually([&] { return other->resume(id_).has_value(); }));
}

TEST_F(Replays, EndOnce) {
    ASSERT_TRUE(queue_->finish(id_));
    const auto refused = queue_->resume(id_);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("was finished at 20"));
    const auto unknown = queue_->resume("replay-none");
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message, HasSubstr("no replay has the id \"replay-none\""));
    EXPECT_FALSE(queue_->resume(std::string("a\0b", 3)));
}

TEST_F(Replays, AreRemovedAfterAMonthWhenANewOneBegins) {
    database_.execute("UPDATE replays SET started_at = now() - interval '30 days 1 minute'");
    const std::string next = queue_->begin({}, std::vector{position(0)}).value().id;
    EXPECT_EQ(database_.count("replays"), 1);
    EXPECT_EQ(database_.count("replay_positions WHERE replay_id = '" + next + "'"), 1);
    EXPECT_EQ(database_.count("replay_positions"), 1);
}

TEST_F(Replays, ThatRunTogetherQueueADeliveryOnce) {
    // The first one is held in the middle of its transaction, with its rows inserted.
    pqxx::connection blocker(database_.url());
    pqxx::work blocking(blocker);
    blocking.exec("LOCK TABLE replay_positions IN EXCLUSIVE MODE");
    auto first = std::async(std::launch::async, [&] { return queue({1, 2}); });
    ASSERT_TRUE(test::eventually([&] {
        return database_.count("pg_locks WHERE NOT granted AND relation = 'replay_positions'::regclass") == 1;
    }));

    auto other = ReplayQueue::open(database_.settings()).value();
    const auto candidates = candidates_of({2, 3});
    auto second = std::async(std::launch::async, [&] {
        return other->queue("replay-other", {candidates, ReplayStatus::missing, {}}, {}).value();
    });
    ASSERT_TRUE(test::eventually(
        [&] { return database_.count("pg_locks WHERE NOT granted AND locktype = 'advisory'") == 1; }));
    blocking.commit();
    EXPECT_EQ(first.get().queued, 2u);
    const core::ReplayCounts counts = second.get();
    EXPECT_EQ(counts.queued, 1u);
    EXPECT_EQ(counts.waiting, 1u);
}

TEST_F(Replays, FindTheActiveWebhooksOfManyUsers) {
    database_.execute(
        "INSERT INTO webhooks (id, user_id, url, events, secret_sealed, active, created_at) VALUES "
        "('w1', 'uid_1', 'https://a.test/', '{extraction.failed}', '\\x00', true, '2025-01-20 "
        "14:30:04.123Z'), "
        "('w2', 'uid_1', 'https://a.test/', '{extraction.failed}', '\\x00', false, now()), "
        "('w3', 'uid_2', 'https://a.test/', '{extraction.failed,extraction.completed}', '\\x00', true, "
        "now()), "
        "('w4', 'uid_3', 'https://a.test/', '{extraction.failed}', '\\x00', true, now())");
    const std::vector<std::string> users{"uid_1", "uid_2", "uid_none"};
    const auto found = queue_->webhooks_of(users).value();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].webhook->id, "w1");
    EXPECT_EQ(found[0].created_at, start);
    EXPECT_EQ(found[0].webhook->events, core::EventSet{core::EventType::extraction_failed});
    EXPECT_EQ(found[1].webhook->id, "w3");
    EXPECT_FALSE(queue_->find_webhook("w2").value()->active);
    EXPECT_EQ(queue_->find_webhook("w4").value()->webhook.webhook->user_id, "uid_3");
    EXPECT_FALSE(queue_->find_webhook("w5").value());
}

TEST_F(Replays, SayWhyTheDatabaseCannotBeUsed) {
    EXPECT_GT(database_.terminate_connections(), 0);
    const auto lost = queue_->load(id_);
    ASSERT_FALSE(lost);
    EXPECT_THAT(lost.error().message, HasSubstr("PostgreSQL: "));
    const TestDatabase empty;
    const auto refused = ReplayQueue::open(empty.settings());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("run docmap-webhookd migrate"));
}

} // namespace
} // namespace docmap::store
