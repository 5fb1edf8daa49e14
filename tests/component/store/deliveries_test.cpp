// Delivery records as the API lists them.
#include "harness.hpp"
#include "rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::store {
namespace {

using test::Instance;
using test::make_attempt;
using test::Schema;
using test::TestDatabase;
using testing::ElementsAre;
using testing::IsEmpty;

base::SystemTime at(int seconds) {
    return base::SystemTime(std::chrono::milliseconds{1737383404123}) + std::chrono::seconds{seconds};
}

class Deliveries : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(instance_.become_ready());
        std::vector<core::AttemptRecord> batch;
        batch.push_back(make_attempt({.offset = 1, .started_at = at(1)}));
        batch.push_back(make_attempt({.offset = 2,
                                      .http_status = 0,
                                      .error = "Connection refused",
                                      .extraction_id = "x2",
                                      .started_at = at(2)}));
        batch.push_back(make_attempt({.offset = 3, .webhook_id = "webhook-b", .started_at = at(2)}));
        batch.push_back(
            make_attempt({.offset = 4, .type = core::EventType::extraction_failed, .started_at = at(3)}));
        batch.push_back(make_attempt({.offset = 5, .user_id = "uid_2", .started_at = at(4)}));
        ASSERT_EQ(instance_.write(instance_.store().attempt_log(), std::move(batch)), "");
    }

    std::vector<ports::DeliveryView> list(ports::DeliveryFilter filter) {
        return instance_.loop().wait(instance_.store().deliveries().list(std::move(filter))).value();
    }
    /// The Kafka offsets of what is listed.
    std::vector<int> offsets(const ports::DeliveryFilter& filter) {
        std::vector<int> found;
        for (const auto& view : list(filter))
            found.push_back(std::stoi(view.id));
        return found;
    }
    static ports::DeliveryFilter of_user() {
        ports::DeliveryFilter filter;
        filter.user_id = "uid_1";
        return filter;
    }

    TestDatabase database_{Schema::current};
    Instance instance_{database_.settings()};
};

TEST_F(Deliveries, AreTheUsersOwnNewestFirst) {
    EXPECT_THAT(offsets(of_user()), ElementsAre(4, 3, 2, 1));
    auto filter = of_user();
    filter.user_id = "uid_3";
    EXPECT_THAT(offsets(filter), IsEmpty());
}

TEST_F(Deliveries, HaveEveryField) {
    auto filter = of_user();
    filter.success = false;
    const auto found = list(filter);
    ASSERT_EQ(found.size(), 1U);
    const ports::DeliveryView& view = found[0];
    EXPECT_EQ(view.id, "000000000000000000000002");
    EXPECT_EQ(view.user_id, "uid_1");
    EXPECT_EQ(view.webhook_id, "webhook-aaaaaaaaaaaa");
    EXPECT_EQ(view.extraction_id, "x2");
    EXPECT_EQ(view.event, "extraction.completed");
    EXPECT_EQ(view.event_id, "evt_2");
    EXPECT_EQ(view.url, "https://example.test/hook");
    EXPECT_FALSE(view.success);
    EXPECT_FALSE(view.http_status.has_value());
    EXPECT_EQ(view.error, "Connection refused");
    EXPECT_EQ(view.duration_ms, 342);
    EXPECT_EQ(view.attempt, 1);
    EXPECT_EQ(view.created_at, at(2));
    EXPECT_FALSE(view.next_attempt_at.has_value());
}

TEST_F(Deliveries, AreFilteredByEachField) {
    auto by_webhook = of_user();
    by_webhook.webhook_id = "webhook-b";
    EXPECT_THAT(offsets(by_webhook), ElementsAre(3));
    auto by_event = of_user();
    by_event.event = "extraction.failed";
    EXPECT_THAT(offsets(by_event), ElementsAre(4));
    auto by_success = of_user();
    by_success.success = true;
    EXPECT_THAT(offsets(by_success), ElementsAre(4, 3, 1));
    auto by_extraction = of_user();
    by_extraction.extraction_id = "x2";
    EXPECT_THAT(offsets(by_extraction), ElementsAre(2));
    by_extraction.success = true;
    EXPECT_THAT(offsets(by_extraction), IsEmpty());
    by_extraction.extraction_id = std::string("x2\0\xff", 4);
    EXPECT_THAT(offsets(by_extraction), IsEmpty());
}

TEST_F(Deliveries, ArePagedBehindTheLastOne) {
    auto filter = of_user();
    filter.limit = 2;
    std::vector<std::vector<int>> pages;
    while (true) {
        const auto page = list(filter);
        if (page.empty()) break;
        pages.push_back(offsets(filter));
        filter.after = {page.back().created_at, page.back().id};
    }
    EXPECT_THAT(pages, ElementsAre(ElementsAre(4, 3), ElementsAre(2, 1)));
    // Between two that began in the same millisecond.
    filter.after = {at(2), "000000000000000000000003"};
    EXPECT_THAT(offsets(filter), ElementsAre(2, 1));
}

TEST_F(Deliveries, AreReadFromThePrimaryKeyInOrder) {
    database_.execute(
        "INSERT INTO deliveries SELECT created_at - n * interval '1 second', NULL, kafka_offset, "
        "body_hash, partition, duration_ms, http_status, attempt, success, id, user_id || n % 50, "
        "webhook_id, extraction_id, event, event_id, url, topic, error "
        "FROM deliveries, generate_series(1, 2000) n");
    database_.execute("ANALYZE deliveries");
    const pqxx::result plan = database_.execute(
        "EXPLAIN SELECT id FROM deliveries WHERE user_id = 'uid_17' AND (created_at, id) < (now(), 'x') "
        "ORDER BY created_at DESC, id DESC LIMIT 50");
    std::string text;
    for (const auto& row : plan)
        text += row[0].as<std::string>() + "\n";
    // Each partition is read in order and merged; nothing is sorted.
    EXPECT_THAT(text, testing::HasSubstr("Scan Backward using deliveries_"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("->  Sort")));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("Seq Scan")));
}

} // namespace
} // namespace docmap::store
