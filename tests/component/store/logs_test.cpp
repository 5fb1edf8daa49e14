// The batch logs: what they store, and that storing again changes nothing.
#include "harness.hpp"
#include "rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace docmap::store {
namespace {

using test::AttemptSpec;
using test::Instance;
using test::make_attempt;
using test::make_rejected;
using test::TestDatabase;
using testing::ElementsAre;

class Logs : public testing::Test {
  protected:
    std::string write(std::vector<core::AttemptRecord> batch,
                      ports::WriteTry write_try = ports::WriteTry::first) {
        return instance_.write(instance_.store().attempt_log(), std::move(batch), write_try);
    }
    std::string write(std::vector<core::RejectedRecord> batch) {
        return instance_.write(instance_.store().rejected_record_log(), std::move(batch));
    }
    std::vector<core::RecordedDelivery> find(std::int64_t first_offset, std::size_t limit) {
        std::promise<std::vector<core::RecordedDelivery>> found;
        instance_.store().recorded_deliveries().find(
            "extraction.completed", 3, first_offset, limit,
            [&](auto result) { found.set_value(std::move(result.value())); });
        return found.get_future().get();
    }

    TestDatabase database_{test::Schema::current};
    Instance instance_{database_.settings()};
};

TEST_F(Logs, AnAttemptIsStoredWithEveryField) {
    ASSERT_TRUE(instance_.become_ready());
    ASSERT_EQ(
        write({make_attempt({.offset = 42, .http_status = 503, .error = "HTTP 503 Service Unavailable"})}),
        "");
    const pqxx::result rows = database_.execute(
        "SELECT id, user_id, webhook_id, extraction_id, event, event_id, url, success, http_status, error, "
        "duration_ms, attempt, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ'), "
        "next_attempt_at, topic, partition, kafka_offset, body_hash FROM deliveries");
    ASSERT_EQ(rows.size(), 1);
    std::vector<std::string> fields;
    for (const auto& field : rows[0])
        fields.emplace_back(field.is_null() ? "null" : field.c_str());
    EXPECT_THAT(fields, ElementsAre("000000000000000000000042", "uid_1", "webhook-aaaaaaaaaaaa", "extract-1",
                                    "extraction.completed", "evt_42", "https://example.test/hook", "f", "503",
                                    "HTTP 503 Service Unavailable", "342", "1", "2025-01-20T14:30:04.123000Z",
                                    "null", "extraction.completed", "3", "42", "-2"));
}

TEST_F(Logs, ABatchWrittenTwiceGivesTheSameRows) {
    ASSERT_TRUE(instance_.become_ready());
    std::vector<core::AttemptRecord> batch;
    for (std::int64_t offset = 0; offset < 1000; ++offset)
        batch.push_back(make_attempt({.offset = offset}));
    ASSERT_EQ(write(batch), "");
    ASSERT_EQ(write(batch, ports::WriteTry::again), "");
    batch.push_back(make_attempt({.offset = 1000}));
    ASSERT_EQ(write(batch, ports::WriteTry::again), "");
    EXPECT_EQ(database_.count("deliveries"), 1001);
    EXPECT_EQ(database_.count("deliveries WHERE http_status = 200 AND error IS NULL AND success"), 1001);
}

TEST_F(Logs, TextsAreStoredAsTheyAre) {
    ASSERT_TRUE(instance_.become_ready());
    const std::string awkward = "a \"quoted\" {list}, \\ back\nslash, NULL, und ein Größe ✓";
    ASSERT_EQ(write({make_attempt({.offset = 1, .http_status = 0, .error = awkward, .user_id = "NULL"}),
                     make_attempt(
                         {.offset = 2, .http_status = 0, .error = "bad \xff byte", .user_id = "{\"x\"}"})}),
              "");
    const pqxx::result rows =
        database_.execute("SELECT user_id, error FROM deliveries ORDER BY kafka_offset");
    EXPECT_EQ(rows[0][0].as<std::string>(), "NULL");
    EXPECT_EQ(rows[0][1].as<std::string>(), awkward);
    EXPECT_EQ(rows[1][0].as<std::string>(), "{\"x\"}");
    EXPECT_EQ(rows[1][1].as<std::string>(), "bad ? byte");
}

TEST_F(Logs, WhatIsRecordedIsFoundByOffsetPageByPage) {
    ASSERT_TRUE(instance_.become_ready());
    std::vector<core::AttemptRecord> batch;
    for (const std::int64_t offset : {9, 5, 7, 6, 8})
        batch.push_back(make_attempt({.offset = offset}));
    ASSERT_EQ(write(batch), "");
    const auto first = find(6, 2);
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[0].offset, 6);
    EXPECT_EQ(first[0].webhook_id, "webhook-aaaaaaaaaaaa");
    EXPECT_EQ(first[0].body_hash, static_cast<std::uint64_t>(-2));
    EXPECT_EQ(first[1].offset, 7);
    EXPECT_EQ(find(8, 100).size(), 2U);
    EXPECT_TRUE(find(10, 100).empty());
}

TEST_F(Logs, ARejectedRecordIsStoredWholeAndOnce) {
    ASSERT_TRUE(instance_.become_ready());
    const std::string value("\x00\xff{\"\\", 5);
    const std::vector<core::RejectedRecord> batch = {make_rejected(1, value), make_rejected(2, std::nullopt),
                                                     make_rejected(3, "")};
    ASSERT_EQ(write(batch), "");
    ASSERT_EQ(write(batch), "");
    // The topic was made anew: the same offset, another value.
    ASSERT_EQ(write({make_rejected(1, "other"), make_rejected(2, "")}), "");
    const pqxx::result rows =
        database_.execute("SELECT kafka_offset, encode(value, 'hex'), encode(key, 'hex'), "
                          "reason, record_timestamp IS NULL FROM rejected_events ORDER BY id");
    ASSERT_EQ(rows.size(), 5);
    EXPECT_EQ(rows[0][1].as<std::string>(), "00ff7b225c");
    EXPECT_EQ(rows[0][2].as<std::string>(), "6b6579");
    EXPECT_EQ(rows[0][3].as<std::string>(), "not JSON");
    EXPECT_TRUE(rows[0][4].as<bool>()); // -1: the record has no timestamp
    EXPECT_TRUE(rows[1][1].is_null());
    EXPECT_EQ(rows[2][1].as<std::string>(), "");
    EXPECT_FALSE(rows[3][1].is_null());
}

TEST_F(Logs, RejectedRecordsLargerThanOneStatementAreStoredTogether) {
    ASSERT_TRUE(instance_.become_ready());
    const std::string large(std::size_t{20} * 1024 * 1024, 'x');
    ASSERT_EQ(write({make_rejected(1, large), make_rejected(2, large), make_rejected(3, "small")}), "");
    EXPECT_EQ(database_.count("rejected_events"), 3);
    EXPECT_EQ(database_.count("rejected_events WHERE octet_length(value) = 20971520"), 2);
}

} // namespace
} // namespace docmap::store
