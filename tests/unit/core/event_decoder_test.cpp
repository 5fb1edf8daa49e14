#include "core/event_decoder.hpp"
#include "core/event_rules.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>
#include <xxhash.h>

namespace docmap::core {
namespace {

constexpr std::size_t max_event_bytes = 100000;

std::string example() {
    return R"({"id":"evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC","event":"extraction.completed",)"
           R"("userId":"uid_a1b2c3d4e5f6",)"
           R"("extractionId":"extract-xyz789","createdAt":"2025-01-20T14:30:03.512Z",)"
           R"("data":{"status":"completed","fileName":"invoice.pdf"}})";
}

/// The smallest event there is, with more members behind.
std::string event_with(const std::string& members) {
    return R"({"event":"extraction.failed","userId":"u","extractionId":"x")" +
           (members.empty() ? "" : "," + members) + "}";
}

/// What is not in an event with these members instead of its required ones.
std::string object(const std::string& members) {
    return "{" + members + "}";
}

RecordPtr make_record(std::string_view value, const std::string& topic = "extraction.completed",
                      std::int32_t partition = 3, std::int64_t offset = 42) {
    RecordFields fields;
    fields.topic = &test::topic(topic);
    fields.partition = partition;
    fields.offset = offset;
    fields.value = value;
    return Record::create(fields);
}

DecodeResult decode(std::string_view value) {
    static EventDecoder decoder(max_event_bytes);
    return decoder.decode(make_record(value));
}

std::string reason_of(std::string_view value) {
    const DecodeResult result = decode(value);
    return result ? "<accepted>" : result.error().message;
}

TEST(EventDecoder, ReadsTheFieldsOfAnEvent) {
    EventDecoder decoder(max_event_bytes);
    const RecordPtr record = make_record(example());
    const DecodeResult result = decoder.decode(record);
    ASSERT_TRUE(result) << result.error().message;
    const Event& event = **result;
    EXPECT_EQ(&event.record(), record.get());
    EXPECT_EQ(event.type(), EventType::extraction_completed);
    EXPECT_EQ(event.id(), "evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC");
    EXPECT_EQ(event.user_id(), "uid_a1b2c3d4e5f6");
    EXPECT_EQ(event.extraction_id(), "extract-xyz789");
    EXPECT_EQ(event.body(), example());
    EXPECT_EQ(event.body().data(), record->value()->data());
    EXPECT_EQ(event.body_hash(), XXH3_64bits(example().data(), example().size()));
}

TEST(EventDecoder, TakesTheSmallestEventAndDerivesItsId) {
    const DecodeResult result = decode(event_with(""));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ((*result)->type(), EventType::extraction_failed);
    EXPECT_EQ((*result)->id(), "extraction.completed-3-42");
}

TEST(EventDecoder, DerivesIdsThatAreNeverTooLong) {
    EventDecoder decoder(max_event_bytes);
    const std::string body = event_with("");
    const auto id_of = [&](const std::string& topic, std::int32_t partition, std::int64_t offset) {
        return std::string((*decoder.decode(make_record(body, topic, partition, offset)))->id());
    };
    const std::string longest(124, 't');
    EXPECT_EQ(id_of(longest, 1, 2), longest + "-1-2");
    EXPECT_EQ(id_of(longest, 2147483647, 9223372036854775807).size(), 32U + 2 + 10 + 19);
    const std::string hashed = id_of(longest, 1, 20);
    EXPECT_EQ(hashed.size(), 32U + 5);
    EXPECT_TRUE(hashed.ends_with("-1-20"));
    EXPECT_EQ(hashed.substr(0, 32), id_of(longest, 9, 99).substr(0, 32));
    EXPECT_NE(hashed.substr(0, 32), id_of(longest + "t", 9, 99).substr(0, 32));
    EXPECT_EQ(id_of("not allowed", 0, 0).size(), 36U);
    EXPECT_EQ(id_of("caf\xc3\xa9", 0, 0).size(), 36U);
}

TEST(EventDecoder, TakesWhatTheContractAllows) {
    const std::string long_name(128, 'n');
    std::string umlauts;
    for (int i = 0; i < 128; ++i)
        umlauts += "\xf0\x9f\x99\x82";
    for (const std::string& text : {
             example(),
             " \r\n\t" + example() + " \r\n\t",
             event_with(R"("other":[1,2,{"event":5}],"another":"x")"),
             event_with(R"("id":null,"createdAt":null,"data":null)"),
             event_with(R"("id":")" + long_name + R"(")"),
             event_with(R"("id":"A-Za-z0-9_.-")"),
             event_with(R"("data":{})"),
             event_with(R"("data":{"data":{"userId":5,"userId":6}})"),
             event_with(R"("other":1,"other":2)"),
             event_with(R"("createdAt":"2025-01-20T14:30:03Z")"),
             event_with(R"("createdAt":"2025-01-20T14:30:03.123456789+05:30")"),
             object(R"("event":"extraction.completed","userId":")" + long_name + R"(","extractionId":"x")"),
             object(R"("event":"extraction.completed","userId":")" + umlauts + R"(","extractionId":"x")"),
             object(R"("event":"extraction\u002ecompleted","user\u0049d":"\u00fc","extractionId":"x")"),
             event_with(R"("data":{"n":123456789012345678901234567890})"),
             event_with(R"("data":{"n":-1e400,"m":1E+999999999999})"),
             event_with(R"("data":{"text":"\ud800 and \udc00"},"\ud800":1)"),
         })
        EXPECT_EQ(reason_of(text), "<accepted>") << text;
}

TEST(EventDecoder, UnescapesTheSameWayOnBothPaths) {
    const std::string fields =
        R"("ev\u0065nt":"extraction.failed","userId":"\u00fc\n","extractionId":"a\/b","id":"\u0065")";
    for (const std::string& text : {object(fields), object(fields + R"(,"n":1e400)")}) {
        const DecodeResult result = decode(text);
        ASSERT_TRUE(result) << result.error().message;
        EXPECT_EQ((*result)->type(), EventType::extraction_failed);
        EXPECT_EQ((*result)->user_id(), "\xc3\xbc\n");
        EXPECT_EQ((*result)->extraction_id(), "a/b");
        EXPECT_EQ((*result)->id(), "e");
    }
}

struct Rejection {
    std::string text;
    std::string_view reason;
};

const std::vector<Rejection>& rejected_texts() {
    static const std::vector<Rejection> texts = {
        {"", "not JSON: at byte 0, the value is empty"},
        {"\xff{}", "not UTF-8"},
        {"{\"a\":\"\xc3\x28\"}", "not UTF-8"},
        {"{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"},
        {"{\"a\":\"\xc0\x80\"}", "not UTF-8"},
        {"\xEF\xBB\xBF{}", "not JSON: it starts with a byte order mark"},
        {"hello", "not JSON: at byte 0, a value is missing"},
        {R"({"event":"extraction.completed")", "not JSON: at byte 31, a comma or } is missing"},
        {R"({"event":"extraction.completed)", "not JSON: at byte 30, a string does not end"},
        {example() + "x", "not JSON: at byte 224, something follows the JSON value"},
        {event_with(R"("data":{"a":nope})"), "not JSON: at byte 73, a value is missing"},
        {event_with(R"("data":{"a":01})"), "not JSON: at byte 74, a comma or } is missing"},
        {"[]", "not a JSON object: it is an array"},
        {" null ", "not a JSON object: it is null"},
        {"\"text\"", "not a JSON object: it is a string"},
        {"\"\\ud800\"", "not a JSON object: it is a string"},
        {"12", "not a JSON object: it is a number"},
        {"1e400", "not a JSON object: it is a number"},
        {"true", "not a JSON object: it is a boolean"},
        {"{}", R"(event: "extraction.completed" or "extraction.failed" is required; it is missing)"},
        {R"({"event":null})",
         R"(event: "extraction.completed" or "extraction.failed" is required; it is null)"},
        {R"({"event":1})",
         R"(event: "extraction.completed" or "extraction.failed" is required; it is a number)"},
        {R"({"event":"extraction.started"})",
         R"(event: "extraction.completed" or "extraction.failed" is required; it is "extraction.started")"},
        {R"({"event":"webhook.test\u0000\u007f\n\u00e9"})",
         "event: \"extraction.completed\" or \"extraction.failed\" is required; "
         "it is \"webhook.test\\u0000\\u007f\\u000a\xc3\xa9\""},
        {R"({"event":"extraction.failed"})",
         "userId: a string of 1 to 128 characters is required; it is missing"},
        {R"({"event":"extraction.failed","userId":null,"extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it is null"},
        {R"({"event":"extraction.failed","userId":7,"extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it is a number"},
        {R"({"event":"extraction.failed","userId":["u"],"extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it is an array"},
        {R"({"event":"extraction.failed","userId":{},"extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it is an object"},
        {R"({"event":"extraction.failed","userId":false,"extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it is a boolean"},
        {R"({"event":"extraction.failed","userId":"","extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it is empty"},
        {R"({"event":"extraction.failed","userId":"a\u0000b","extractionId":"x"})",
         "userId: a string without the character U+0000 is required; it has one"},
        {R"({"event":"extraction.failed","userId":"\ud800","extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it is a string with an unpaired surrogate"},
        {R"({"event":"extraction.failed","userId":")" + std::string(200, 'u') + R"(","extractionId":"x"})",
         "userId: a string of 1 to 128 characters is required; it has 200"},
        {R"({"event":"extraction.failed","userId":"u"})",
         "extractionId: a string of 1 to 128 characters is required; it is missing"},
        {R"({"event":"extraction.failed","userId":"u","extractionId":9})",
         "extractionId: a string of 1 to 128 characters is required; it is a number"},
        {R"({"event":"extraction.failed","userId":"u","extractionId":")" + std::string(129, 'x') + R"("})",
         "extractionId: a string of 1 to 128 characters is required; it has 129"},
        {event_with(R"("id":"")"),
         "id: a string of 1 to 128 characters of A-Z a-z 0-9 _ . - is required where it is set; it is empty"},
        {event_with(R"("id":5)"), "id: a string of 1 to 128 characters of A-Z a-z 0-9 _ . - is required "
                                  "where it is set; it is a number"},
        {event_with(R"("id":"a b")"), "id: a string of 1 to 128 characters of A-Z a-z 0-9 _ . - is required "
                                      "where it is set; it is \"a b\""},
        {event_with(R"("id":"a\r\nX-Injected: 1")"),
         "id: a string of 1 to 128 characters of A-Z a-z 0-9 _ . - is required where it is set; it is "
         R"("a\u000d\u000aX-Injected: 1")"},
        {event_with(R"("id":")" + std::string(129, 'i') + "\""),
         "id: a string of 1 to 128 characters of A-Z a-z 0-9 _ . - is required where it is set; it has 129"},
        {event_with(R"("createdAt":"yesterday")"),
         R"(createdAt: an ISO 8601 time such as "2025-01-15T10:00:00.000Z" is required where it is set; )"
         R"(it is "yesterday")"},
        {event_with(R"("createdAt":1737383403)"),
         R"(createdAt: an ISO 8601 time such as "2025-01-15T10:00:00.000Z" is required where it is set; )"
         R"(it is a number)"},
        {event_with(R"("data":"text")"), "data: an object is required where it is set; it is a string"},
        {event_with(R"("data":[])"), "data: an object is required where it is set; it is an array"},
        {event_with(R"("userId":"v")"), "userId: a field may be there once; it is there more than once"},
        {event_with(R"("user\u0049d":"v")"), "userId: a field may be there once; it is there more than once"},
        {event_with(R"("data":null,"data":{},"id":"a","id":"a")"),
         "data: a field may be there once; it is there more than once"},
    };
    return texts;
}

TEST(EventDecoder, SaysWhyARecordIsRejected) {
    for (const Rejection& expected : rejected_texts())
        EXPECT_EQ(reason_of(expected.text), expected.reason) << expected.text;
}

/// A member that simdjson refuses makes the decoder take its slower way, which must come to the same.
TEST(EventDecoder, ComesToTheSameReasonOnTheSlowerPath) {
    for (const Rejection& expected : rejected_texts()) {
        if (!expected.text.starts_with("{") || expected.reason.starts_with("not ")) continue;
        const std::string separator = expected.text == "{}" ? "" : ",";
        const std::string slower = R"({"n":1e400)" + separator + expected.text.substr(1);
        EXPECT_EQ(reason_of(slower), expected.reason) << slower;
    }
}

TEST(EventDecoder, CutsWhatItQuotes) {
    const std::string reason = reason_of(R"({"event":")" + std::string(5000, 'e') + "\"}");
    EXPECT_TRUE(reason.ends_with("it is \"" + std::string(64, 'e') + "…\"")) << reason;
    std::string accents;
    for (int i = 0; i < 65; ++i)
        accents += "\xc3\xa9";
    const std::string cut = reason_of(R"({"event":")" + accents + "\"}");
    EXPECT_TRUE(cut.ends_with("it is \"" + accents.substr(2) + "…\"")) << cut;
}

TEST(EventDecoder, RejectsANullValue) {
    RecordFields fields;
    fields.topic = &test::topic();
    EXPECT_EQ(EventDecoder(10).decode(Record::create(fields)).error().message, "the value is null");
}

TEST(EventDecoder, LooksAtTheSizeFirst) {
    EventDecoder decoder(224);
    EXPECT_TRUE(decoder.decode(make_record(example())));
    EXPECT_EQ(decoder.decode(make_record(example() + " ")).error().message,
              "the value has 225 bytes; kafka.max_event_bytes allows 224");
    EXPECT_EQ(decoder.decode(make_record(std::string(300, '\xff'))).error().message,
              "the value has 300 bytes; kafka.max_event_bytes allows 224");
}

TEST(EventDecoder, LimitsDepthOnBothPaths) {
    const auto nested = [](std::size_t arrays, const std::string& innermost) {
        return event_with(R"("x":)" + std::string(arrays, '[') + innermost + std::string(arrays, ']'));
    };
    for (const char* innermost : {"1", "1e400"}) {
        EXPECT_EQ(reason_of(nested(EventDecoder::max_depth - 1, innermost)), "<accepted>");
        EXPECT_TRUE(reason_of(nested(EventDecoder::max_depth, innermost)).ends_with("nested too deeply"));
    }
    EXPECT_TRUE(reason_of(nested(40000, "")).ends_with("nested too deeply"));
}

TEST(EventDecoder, GrowsWithItsRecordsAndShrinksNoResult) {
    EventDecoder decoder(4 * 1024 * 1024);
    for (std::size_t size :
         {std::size_t{1}, std::size_t{65536}, std::size_t{70000}, std::size_t{3000000}, std::size_t{10}}) {
        const std::string text = event_with(R"("data":{"text":")" + std::string(size, 't') + "\"}");
        const DecodeResult result = decoder.decode(make_record(text));
        ASSERT_TRUE(result) << result.error().message;
        EXPECT_EQ((*result)->user_id(), "u");
        EXPECT_EQ((*result)->body().size(), text.size());
    }
}

/// Whatever is done to an event, the decoder answers, and its reasons are one line of UTF-8.
TEST(EventDecoder, AnswersToDamagedEvents) {
    std::mt19937 random(11);
    const std::array<std::string, 3> seeds = {
        example(), event_with(R"("n":1e400,"s":"\ud800","id":"\u0061")"),
        event_with(R"("data":{"a":[1,2.5,"\u00fc\\"]},"createdAt":null)")};
    int accepted = 0;
    for (int round = 0; round < 30000; ++round) {
        std::string text = seeds[random() % seeds.size()];
        for (auto changes = random() % 4; changes > 0 && !text.empty(); --changes) {
            const std::size_t position = random() % text.size();
            switch (random() % 4) {
            case 0:
                text[position] = static_cast<char>(random());
                break;
            case 1:
                text.insert(position, text.substr(random() % text.size(), random() % 20));
                break;
            case 2:
                text.erase(position, random() % 20);
                break;
            default:
                text[position] = "\"\\{}[],:0u\n"[random() % 11];
                break;
            }
        }
        const DecodeResult result = decode(text);
        if (result) {
            ++accepted;
            EXPECT_EQ((*result)->body(), text);
            EXPECT_FALSE((*result)->id().empty());
            continue;
        }
        const std::string& reason = result.error().message;
        EXPECT_FALSE(reason.empty());
        EXPECT_LT(reason.size(), 700U);
        for (const char c : reason)
            EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << text;
    }
    EXPECT_GT(accepted, 3000);
    EXPECT_LT(accepted, 20000);
}

TEST(EventRules, DescribesEveryKind) {
    EXPECT_EQ(describe(JsonKind::absent), "missing");
    EXPECT_EQ(describe(JsonKind::object), "an object");
    EXPECT_EQ(describe(JsonKind::string), "a string");
    EXPECT_EQ(describe(JsonKind{99}), "");
}

} // namespace
} // namespace docmap::core
