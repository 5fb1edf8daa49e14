#include "core/event_decoder.hpp"

#include "core/event_rules.hpp"
#include "core/json_scanner.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <xxhash.h>

namespace docmap::core {

static_assert(Record::padding_bytes >= simdjson::SIMDJSON_PADDING,
              "simdjson reads beyond the end of a value");

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t first_capacity = 64 * 1024;

JsonKind kind_of(simdjson::dom::element_type type) {
    switch (type) {
    case simdjson::dom::element_type::ARRAY:
        return JsonKind::array;
    case simdjson::dom::element_type::OBJECT:
        return JsonKind::object;
    case simdjson::dom::element_type::STRING:
        return JsonKind::string;
    case simdjson::dom::element_type::BOOL:
        return JsonKind::boolean;
    case simdjson::dom::element_type::NULL_VALUE:
        return JsonKind::null;
    default:
        return JsonKind::number;
    }
}

/// Of a value as it stands in a text.
JsonKind kind_of(std::string_view value) {
    switch (value.front()) {
    case '{':
        return JsonKind::object;
    case '[':
        return JsonKind::array;
    case '"':
        return JsonKind::string;
    case 't':
    case 'f':
        return JsonKind::boolean;
    case 'n':
        return JsonKind::null;
    default:
        return JsonKind::number;
    }
}

std::string not_an_object(JsonKind kind) {
    return "not a JSON object: it is " + std::string(describe(kind));
}

std::string not_json(const JsonFault& fault) {
    return "not JSON: at byte " + std::to_string(fault.offset) + ", " + std::string(fault.problem);
}

/// An id derived from where the record stands, without allocating.
class DerivedId {
  public:
    DerivedId(std::string_view topic, std::int32_t partition, std::int64_t offset) {
        std::array<char, sizeof("--2147483648--9223372036854775808")> position;
        char* end = position.data();
        *end++ = '-';
        end = std::to_chars(end, end + std::size("-2147483648"), partition).ptr;
        *end++ = '-';
        end = std::to_chars(end, position.end(), offset).ptr;
        const std::string_view suffix(position.data(), static_cast<std::size_t>(end - position.data()));
        if (topic.size() + suffix.size() <= text_.size() &&
            std::all_of(topic.begin(), topic.end(), is_event_id_character))
            append(topic);
        else
            append_hash(topic);
        append(suffix);
    }

    std::string_view view() const { return {text_.data(), static_cast<std::size_t>(end_ - text_.data())}; }

  private:
    void append(std::string_view text) { end_ = std::copy(text.begin(), text.end(), end_); }

    void append_hash(std::string_view topic) {
        static constexpr std::string_view hex = "0123456789abcdef";
        XXH128_canonical_t hash;
        XXH128_canonicalFromHash(&hash, XXH3_128bits(topic.data(), topic.size()));
        for (const unsigned char byte : hash.digest) {
            *end_++ = hex[byte >> 4U];
            *end_++ = hex[byte & 15U];
        }
    }

    std::array<char, max_event_id_size> text_;
    char* end_ = text_.data();
};

} // namespace

/// simdjson's parser and, for texts that it refuses, a slower way to the same fields.
class EventDecoder::Parser {
  public:
    Parser() { reserve(first_capacity); }

    /// Reads the fields of `text`, which has the padding that simdjson asks for. Returns what keeps it from
    /// being a JSON object, or an empty line. The fields are valid until the next call.
    std::string read(std::string_view text, EventDocument& fields) {
        reserve(text.size());
        simdjson::dom::element root;
        const bool is_marked = text.starts_with(byte_order_mark);
        if (is_marked || parse(text).get(root) != simdjson::SUCCESS) return read_refused(text, fields);
        simdjson::dom::object object;
        if (root.get(object) != simdjson::SUCCESS) return not_an_object(kind_of(root.type()));
        for (const auto [name, value] : object) {
            const auto field = find_event_field(name);
            if (field) fields.set(*field, to_field(value));
        }
        return {};
    }

  private:
    /// Grows in powers of two, so that slowly growing records do not allocate time and again.
    void reserve(std::size_t size) {
        if (size <= capacity_) return;
        capacity_ = std::bit_ceil(size);
        // simdjson counts one level more than there are.
        if (parser_.allocate(capacity_, max_depth + 1) != simdjson::SUCCESS ||
            document_.allocate(capacity_) != simdjson::SUCCESS)
            throw std::bad_alloc();
    }

    simdjson::simdjson_result<simdjson::dom::element> parse(std::string_view text) {
        return parser_.parse_into_document(document_, text.data(), text.size(), false);
    }

    static JsonField to_field(simdjson::dom::element value) {
        JsonField field{kind_of(value.type()), {}};
        if (field.kind == JsonKind::string) field.text = value.get_string().value_unsafe();
        return field;
    }

    /// simdjson also refuses what is JSON but fits no C++ type, and does not say where it found a fault.
    std::string read_refused(std::string_view text, EventDocument& fields) {
        if (!simdjson::validate_utf8(text)) return "not UTF-8";
        if (text.starts_with(byte_order_mark)) return "not JSON: it starts with a byte order mark";
        unescaped_.clear();
        const auto fault = scan_json(text, max_depth, [&](std::string_view name, std::string_view value) {
            const auto field = find_event_field(unescape(name).text);
            if (field) fields.set(*field, to_field(value));
        });
        if (fault) return not_json(*fault);
        const JsonKind kind = kind_of(text.substr(text.find_first_not_of(" \t\r\n")));
        return kind == JsonKind::object ? std::string() : not_an_object(kind);
    }

    JsonField to_field(std::string_view value) {
        const JsonKind kind = kind_of(value);
        return kind == JsonKind::string ? unescape(value) : JsonField{kind, {}};
    }

    /// The text that a JSON string stands for. Must not be called while `document_` is read.
    JsonField unescape(std::string_view quoted) {
        if (quoted.find('\\') == std::string_view::npos)
            return {JsonKind::string, quoted.substr(1, quoted.size() - 2)};
        const simdjson::padded_string padded(quoted);
        std::string_view text;
        if (parse(padded).get(text) != simdjson::SUCCESS) return {JsonKind::unreadable, {}};
        return {JsonKind::string, unescaped_.emplace_back(text)};
    }

    simdjson::dom::parser parser_;
    simdjson::dom::document document_;
    std::size_t capacity_ = 0;
    std::deque<std::string> unescaped_; ///< texts of fields that were read the slower way
};

EventDecoder::EventDecoder(std::size_t max_event_bytes)
    : max_event_bytes_(max_event_bytes), parser_(std::make_unique<Parser>()) {}

EventDecoder::~EventDecoder() = default;

DecodeResult EventDecoder::decode(const RecordPtr& record) {
    if (!record->value()) return base::Error{"the value is null"};
    const std::string_view text = *record->value();
    if (text.size() > max_event_bytes_) {
        return base::Error{"the value has " + std::to_string(text.size()) +
                           " bytes; kafka.max_event_bytes allows " + std::to_string(max_event_bytes_)};
    }
    EventDocument document;
    std::string reason = parser_->read(text, document);
    if (reason.empty()) reason = find_broken_rule(document);
    if (!reason.empty()) return base::Error{std::move(reason)};

    EventFields fields;
    fields.type = *parse_event_type(document[EventField::event].text);
    fields.user_id = document[EventField::user_id].text;
    fields.extraction_id = document[EventField::extraction_id].text;
    fields.body_hash = XXH3_64bits(text.data(), text.size());
    const JsonField& id = document[EventField::id];
    if (id.kind == JsonKind::string) {
        fields.id = id.text;
        return Event::create(record, fields);
    }
    const DerivedId derived(record->topic(), record->partition(), record->offset());
    fields.id = derived.view();
    return Event::create(record, fields);
}

} // namespace docmap::core
