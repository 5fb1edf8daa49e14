// Rejected records as an operator lists them and feeds them in again.
#include "harness.hpp"
#include "rows.hpp"
#include "store/rejected_events_admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace docmap::store {
namespace {

using test::Instance;
using test::make_rejected;
using test::Schema;
using test::TestDatabase;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RejectedAdmin : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(instance_.become_ready());
        ASSERT_EQ(instance_.write(instance_.store().rejected_record_log(),
                                  {make_rejected(10, std::string_view("a\0b\xff", 4)),
                                   make_rejected(11, std::nullopt), make_rejected(12, "")}),
                  "");
        events_ = RejectedEvents::open(database_.settings()).value();
    }

    std::vector<RejectedEventView> list(const RejectedEventFilter& filter = {}) const {
        return list_rejected_events(database_.settings(), filter).value();
    }

    static base::Result<void> accept(const RejectedEvent&) { return {}; }

    TestDatabase database_{Schema::current};
    Instance instance_{database_.settings()};
    std::unique_ptr<RejectedEvents> events_;
};

TEST_F(RejectedAdmin, ListsThemNewestFirst) {
    const auto views = list();
    ASSERT_EQ(views.size(), 3u);
    EXPECT_EQ(views[0].id, 3);
    EXPECT_EQ(views[0].value_bytes, 0);
    EXPECT_EQ(views[1].value_bytes, std::nullopt);
    EXPECT_EQ(views[2].value_bytes, 4);
    EXPECT_EQ(views[2].topic, "extraction.completed");
    EXPECT_EQ(views[2].partition, 3);
    EXPECT_EQ(views[2].offset, 10);
    EXPECT_EQ(views[2].reason, "not JSON");
    EXPECT_FALSE(views[2].replayed_at);
}

TEST_F(RejectedAdmin, ListsWhatIsAskedFor) {
    database_.execute("UPDATE rejected_events SET topic = 'other' WHERE id = 1");
    database_.execute("UPDATE rejected_events SET rejected_at = now() - interval '1 hour' WHERE id = 2");
    database_.execute("UPDATE rejected_events SET replayed_at = now() WHERE id = 3");
    const auto ids = [&](const RejectedEventFilter& filter) {
        std::vector<std::int64_t> found;
        for (const RejectedEventView& view : list(filter))
            found.push_back(view.id);
        return found;
    };
    EXPECT_THAT(ids({}), ElementsAre(2, 1));
    EXPECT_THAT(ids({.replayed_too = true}), ElementsAre(3, 2, 1));
    EXPECT_THAT(ids({.limit = 1}), ElementsAre(2));
    EXPECT_THAT(ids({.topic = "other"}), ElementsAre(1));
    EXPECT_THAT(ids({.topic = std::string("\0", 1)}), IsEmpty());
    EXPECT_THAT(ids({.since = base::system_now() - std::chrono::minutes{5}}), ElementsAre(1));
}

TEST_F(RejectedAdmin, HandsARecordOverWholeAndMarksItAfterwards) {
    std::vector<RejectedEvent> fed;
    const auto feed = [&](const RejectedEvent& event) -> base::Result<void> {
        fed.push_back(event);
        EXPECT_EQ(database_.count("rejected_events WHERE replayed_at IS NOT NULL"), 0);
        return {};
    };
    ASSERT_TRUE(events_->replay(1, feed));
    ASSERT_EQ(fed.size(), 1u);
    EXPECT_EQ(fed[0].value, std::string("a\0b\xff", 4));
    EXPECT_EQ(fed[0].key, "key");
    EXPECT_EQ(fed[0].partition, 3);
    EXPECT_EQ(fed[0].offset, 10);
    EXPECT_EQ(database_.count("rejected_events WHERE replayed_at IS NOT NULL AND id = 1"), 1);
    EXPECT_THAT(events_->not_replayed(0, 10).value(), ElementsAre(2, 3));
    EXPECT_THAT(events_->not_replayed(0, 1).value(), ElementsAre(2));
    EXPECT_THAT(events_->not_replayed(2, 10).value(), ElementsAre(3));

    ASSERT_TRUE(events_->replay(2, [](const RejectedEvent& event) -> base::Result<void> {
        EXPECT_EQ(event.value, std::nullopt);
        return {};
    }));
}

TEST_F(RejectedAdmin, WaitsForASlowKafka) {
    const auto slowly = [](const RejectedEvent&) -> base::Result<void> {
        std::this_thread::sleep_for(std::chrono::milliseconds{1500}); // as long as Kafka takes
        return {};
    };
    const auto replayed = events_->replay(2, slowly);
    EXPECT_TRUE(replayed) << replayed.error().message;
    EXPECT_EQ(list().size(), 2u);
    EXPECT_TRUE(events_->replay(1, accept));
}

TEST_F(RejectedAdmin, MarksNothingWhereItWasNotFedIn) {
    const auto failed = events_->replay(
        1, [](const RejectedEvent&) -> base::Result<void> { return base::Error{"Kafka is away"}; });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "Kafka is away");
    EXPECT_EQ(database_.count("rejected_events WHERE replayed_at IS NOT NULL"), 0);
    EXPECT_TRUE(events_->replay(1, accept)) << "and it can be tried again";
    const auto unknown = events_->replay(99, accept);
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message, HasSubstr("no rejected record has this id"));
}

TEST_F(RejectedAdmin, IsFedInByOneProcessAtATime) {
    const auto done = events_->replay(1, [&](const RejectedEvent&) -> base::Result<void> {
        const auto other = RejectedEvents::open(database_.settings()).value()->replay(1, accept);
        EXPECT_FALSE(other);
        EXPECT_THAT(other.error().message, HasSubstr("another process"));
        return {};
    });
    EXPECT_TRUE(done);
}

} // namespace
} // namespace docmap::store
