#include "core/record.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

TEST(Record, CopiesEverythingIntoItself) {
    std::string value = R"({"event":"extraction.completed"})";
    std::string key = "u1";
    std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    RecordFields fields;
    fields.topic = &test::topic();
    fields.partition = 3;
    fields.offset = 42;
    fields.sequence = 7;
    fields.assignment = AssignmentId{9};
    fields.timestamp = base::SystemTime{std::chrono::milliseconds{1737383403000}};
    fields.value = value;
    fields.key = key;
    fields.traceparent = traceparent;
    fields.tracestate = "a=b";
    const RecordPtr record = Record::create(fields);
    value.assign(value.size(), 'x');
    key.clear();
    traceparent.clear();

    EXPECT_EQ(record->topic(), "extraction.completed");
    EXPECT_EQ(record->partition(), 3);
    EXPECT_EQ(record->offset(), 42);
    EXPECT_EQ(record->sequence(), 7U);
    EXPECT_EQ(record->assignment(), AssignmentId{9});
    EXPECT_EQ(record->timestamp().time_since_epoch().count(), 1737383403000);
    EXPECT_EQ(record->value(), R"({"event":"extraction.completed"})");
    EXPECT_EQ(record->key(), "u1");
    EXPECT_EQ(record->traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    EXPECT_EQ(record->tracestate(), "a=b");
}

TEST(Record, HasZeroedPaddingBehindItsValue) {
    const RecordPtr record = test::make_record({.value = "{}"});
    const char* end = record->value()->data() + record->value()->size();
    for (std::size_t i = 0; i < Record::padding_bytes; ++i)
        ASSERT_EQ(end[i], '\0');
}

TEST(Record, ANullValueIsNotAnEmptyOne) {
    RecordFields fields;
    fields.topic = &test::topic();
    EXPECT_FALSE(Record::create(fields)->value().has_value());
    fields.value = "";
    ASSERT_TRUE(Record::create(fields)->value().has_value());
    EXPECT_TRUE(Record::create(fields)->value()->empty());
}

TEST(Record, CountsItsMemoryAgainstTheBudget) {
    const std::string value(10000, 'a');
    const RecordPtr record = test::make_record({.value = value});
    EXPECT_GE(record->budget_bytes(), 10000U + Record::padding_bytes);
    EXPECT_LT(record->budget_bytes(), 10000U + 1000U);
}

TEST(Event, KeepsItsFieldsAndItsRecord) {
    const EventPtr event = test::make_event({.value = "{}", .offset = 5}, "evt_9");
    EXPECT_EQ(event->id(), "evt_9");
    EXPECT_EQ(event->user_id(), "u1");
    EXPECT_EQ(event->extraction_id(), "x1");
    EXPECT_EQ(event->body(), "{}");
    EXPECT_EQ(event->record().offset(), 5);
    EXPECT_EQ(event->body_hash(), 7U);
}

TEST(EventType, NamesAreReadBack) {
    for (const EventType type : all_event_types)
        EXPECT_EQ(parse_event_type(name_of(type)), type);
    EXPECT_EQ(name_of(EventType::extraction_completed), "extraction.completed");
    EXPECT_EQ(name_of(EventType::extraction_failed), "extraction.failed");
    EXPECT_EQ(parse_event_type("extraction.started"), std::nullopt);
    EXPECT_EQ(parse_event_type(""), std::nullopt);
}

TEST(EventSet, HoldsWhatWasInserted) {
    EventSet events;
    EXPECT_TRUE(events.empty());
    events.insert(EventType::extraction_failed);
    EXPECT_TRUE(events.contains(EventType::extraction_failed));
    EXPECT_FALSE(events.contains(EventType::extraction_completed));
    EXPECT_EQ(events, EventSet{EventType::extraction_failed});
}

} // namespace
} // namespace docmap::core
