#include "core/delivery_id.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <xxhash.h>

namespace docmap::core {

namespace {

constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
constexpr std::size_t bits_per_digit = 5;
constexpr std::size_t time_digits = 9;
constexpr std::int64_t last_time = (std::int64_t{1} << (time_digits * bits_per_digit)) - 1;

/// Writes the lowest bits of `value` into `[first, last)`, highest first.
void write_digits(char* first, char* last, std::uint64_t value) {
    while (last != first) {
        *--last = digits[value & 31U];
        value >>= bits_per_digit;
    }
}

/// The value of a digit, or nothing.
std::optional<unsigned> digit_value(char digit) {
    if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
    if (digit >= 'a' && digit <= 'v') return static_cast<unsigned>(digit - 'a') + 10U;
    return std::nullopt;
}

/// Texts enter as hashes of their own, so that their lengths need no limit and no two inputs look alike.
XXH128_hash_t hash_of_attempt(const Event& event, const WebhookId::Hash& webhook, unsigned attempt) {
    const Record& record = event.record();
    const XXH128_hash_t topic = XXH3_128bits(record.topic().data(), record.topic().size());
    const std::array<std::uint64_t, 8> parts = {topic.high64,
                                                topic.low64,
                                                webhook.high,
                                                webhook.low,
                                                static_cast<std::uint64_t>(record.partition()),
                                                static_cast<std::uint64_t>(record.offset()),
                                                event.body_hash(),
                                                attempt};
    return XXH3_128bits(parts.data(), sizeof(parts));
}

} // namespace

DeliveryId make_delivery_id(base::SystemTime started_at, const Event& event, const WebhookId& webhook_id,
                            unsigned attempt) {
    const std::int64_t time = started_at.time_since_epoch().count();
    const XXH128_hash_t hash = hash_of_attempt(event, webhook_id.hash(), attempt);
    DeliveryId id;
    char* const text = id.data();
    write_digits(text, text + time_digits,
                 static_cast<std::uint64_t>(std::clamp<std::int64_t>(time, 0, last_time)));
    write_digits(text + time_digits, text + 12, hash.high64);
    write_digits(text + 12, text + id.size(), hash.low64);
    return id;
}

std::optional<base::SystemTime> time_of(std::string_view id) {
    if (id.size() != std::tuple_size_v<DeliveryId>) return std::nullopt;
    std::int64_t time = 0;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const auto value = digit_value(id[i]);
        if (!value) return std::nullopt;
        if (i < time_digits) time = time << bits_per_digit | *value;
    }
    return base::SystemTime{std::chrono::milliseconds{time}};
}

} // namespace docmap::core
