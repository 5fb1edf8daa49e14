#include "core/delivery_id.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace docmap::core {
namespace {

base::SystemTime at(std::int64_t milliseconds) {
    return base::SystemTime{std::chrono::milliseconds{milliseconds}};
}

std::string id_of(std::int64_t milliseconds, const EventPtr& event, std::string_view webhook_id = "webhook-1",
                  unsigned attempt = 1) {
    return std::string(
        view(make_delivery_id(at(milliseconds), *event, WebhookId(std::string(webhook_id)), attempt)));
}

EventPtr make_event_of(const std::string& topic, std::int32_t partition, std::int64_t offset,
                       std::uint64_t body_hash) {
    RecordFields record;
    record.topic = &test::topic(topic);
    record.partition = partition;
    record.offset = offset;
    record.value = "{}";
    EventFields fields;
    fields.id = "evt_1";
    fields.body_hash = body_hash;
    return Event::create(Record::create(record), fields);
}

TEST(DeliveryId, StartsWithTheTimeInBase32Hex) {
    const EventPtr event = test::make_event({.value = "{}"});
    EXPECT_EQ(id_of(0, event).substr(0, 9), "000000000");
    EXPECT_EQ(id_of(31, event).substr(0, 9), "00000000v");
    EXPECT_EQ(id_of(32, event).substr(0, 9), "000000010");
    std::string digits;
    for (std::int64_t left = 1737383403512; left > 0; left /= 32)
        digits.insert(digits.begin(), "0123456789abcdefghijklmnopqrstuv"[left % 32]);
    EXPECT_EQ(id_of(1737383403512, event).substr(0, 9), digits);
}

TEST(DeliveryId, ReadsTheTimeBack) {
    const EventPtr event = test::make_event({.value = "{}"});
    for (const std::int64_t time :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{1737383403512}, (std::int64_t{1} << 45) - 1})
        EXPECT_EQ(time_of(id_of(time, event)), at(time));
}

TEST(DeliveryId, ClampsTimesItCannotHold) {
    const EventPtr event = test::make_event({.value = "{}"});
    EXPECT_EQ(time_of(id_of(-1, event)), at(0));
    EXPECT_EQ(time_of(id_of(std::int64_t{1} << 45, event)), at((std::int64_t{1} << 45) - 1));
}

TEST(DeliveryId, SortsByTime) {
    const EventPtr event = test::make_event({.value = "{}"});
    std::string before = id_of(1, event);
    for (std::int64_t time = 3; time < (std::int64_t{1} << 44); time = time * 7 + 5) {
        const std::string id = id_of(time, event);
        EXPECT_LT(before, id);
        before = id;
    }
}

TEST(DeliveryId, DependsOnAllThatIsAttemptedAndOnNothingElse) {
    const std::set<std::string> ids = {
        id_of(5, make_event_of("t", 1, 2, 3)),
        id_of(5, make_event_of("u", 1, 2, 3)),
        id_of(5, make_event_of("t", 2, 2, 3)),
        id_of(5, make_event_of("t", 1, 3, 3)),
        id_of(5, make_event_of("t", 1, 2, 4)),
        id_of(5, make_event_of("t", 1, 2, 3), "webhook-2"),
        id_of(5, make_event_of("t", 1, 2, 3), "webhook-1", 2),
        id_of(6, make_event_of("t", 1, 2, 3)),
    };
    EXPECT_EQ(ids.size(), 8U);
    EXPECT_EQ(id_of(5, make_event_of("t", 1, 2, 3)), id_of(5, make_event_of("t", 1, 2, 3)));
}

TEST(DeliveryId, ManyIdsOfOneMillisecondDiffer) {
    std::set<std::string> ids;
    for (std::int64_t offset = 0; offset < 20000; ++offset)
        ids.insert(id_of(7, make_event_of("t", 0, offset, 0)));
    EXPECT_EQ(ids.size(), 20000U);
}

TEST(DeliveryId, RefusesWhatIsNoId) {
    EXPECT_FALSE(time_of(""));
    EXPECT_FALSE(time_of("0123456789abcdefghijklm"));
    EXPECT_FALSE(time_of("0123456789abcdefghijklmno"));
    for (const char bad : {'w', 'A', 'V', '-', '/', ':', '`', ' ', '\0'}) {
        std::string id = "0123456789abcdefghijklmn";
        for (const std::size_t position : {std::size_t{0}, std::size_t{8}, std::size_t{23}}) {
            std::string broken = id;
            broken[position] = bad;
            EXPECT_FALSE(time_of(broken)) << bad << " at " << position;
        }
        EXPECT_TRUE(time_of(id));
    }
}

} // namespace
} // namespace docmap::core
