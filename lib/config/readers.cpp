#include "config/readers.hpp"

#include "config/units.hpp"

#include <algorithm>
#include <utility>

namespace docmap::config {
namespace {

base::Error out_of_range(const Value& value, const std::string& range) {
    return {describe(value) + " is out of range; use " + range};
}

/// The list, where the number of its parts is allowed.
base::Result<std::vector<std::string>> read_list(const Value& value, const NumberRange& count) {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr)
        return base::Error{describe(value) + " is not a list of texts; write [\"…\", \"…\"]"};
    if (list->empty() && count.min > 0) return base::Error{"the list is empty; name at least one"};
    if (list->size() > count.max)
        return base::Error{"the list has " + std::to_string(list->size()) + " entries; at most " +
                           std::to_string(count.max) + " are allowed"};
    return *list;
}

} // namespace

std::string text_of(const DurationRange& range) {
    return format_duration(range.min) + " to " + format_duration(range.max);
}

std::string text_of(const NumberRange& range) {
    return std::to_string(range.min) + " to " + std::to_string(range.max);
}

std::string size_text_of(const NumberRange& range) {
    return format_size(range.min) + " to " + format_size(range.max);
}

std::string text_of_choices(const std::vector<std::string>& choices) {
    std::string text;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
        text += quote(choices[i]);
    }
    return text;
}

base::Result<std::chrono::milliseconds> read_duration(const Value& value, const DurationRange& range) {
    const auto* text = std::get_if<std::string>(&value);
    const auto duration = text == nullptr ? std::nullopt : parse_duration(*text);
    if (!duration)
        return base::Error{describe(value) +
                           " is not a duration; use a number with ms, s, m or h, such as \"10s\""};
    if (*duration < range.min || *duration > range.max) return out_of_range(value, text_of(range));
    return *duration;
}

base::Result<std::size_t> read_number(const Value& value, const NumberRange& range) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr)
        return base::Error{describe(value) + " is not a whole number; use " + text_of(range) +
                           ", without quotes"};
    if (std::cmp_less(*number, range.min) || std::cmp_greater(*number, range.max))
        return out_of_range(value, text_of(range));
    return static_cast<std::size_t>(*number);
}

base::Result<std::size_t> read_size(const Value& value, const NumberRange& range) {
    const auto* number = std::get_if<std::int64_t>(&value);
    const auto* text = std::get_if<std::string>(&value);
    if (number != nullptr && *number < 0) return out_of_range(value, size_text_of(range));
    std::optional<std::size_t> bytes;
    if (number != nullptr) bytes = static_cast<std::size_t>(*number);
    if (text != nullptr) bytes = parse_size(*text);
    if (!bytes)
        return base::Error{describe(value) +
                           " is not a size; use a number of bytes, or one with KiB, MiB or GiB, "
                           "such as \"64KiB\""};
    if (*bytes < range.min || *bytes > range.max) return out_of_range(value, size_text_of(range));
    return *bytes;
}

base::Result<bool> read_flag(const Value& value) {
    if (const auto* flag = std::get_if<bool>(&value)) return *flag;
    return base::Error{describe(value) + " is neither true nor false; write one of them, without quotes"};
}

base::Result<std::string> read_text(const Value& value, const TextRule& rule) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return base::Error{describe(value) + " is not a text; put it in quotes"};
    if (auto refusal = rule.check(*text)) return base::Error{*std::move(refusal)};
    return base::success(*text);
}

base::Result<std::string> read_choice(const Value& value, const std::vector<std::string>& choices) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || std::ranges::find(choices, *text) == choices.end())
        return base::Error{describe(value) + " is not allowed; use " + text_of_choices(choices)};
    return base::success(*text);
}

base::Result<std::vector<std::string>> read_texts(const Value& value, const NumberRange& count,
                                                  const TextRule& rule) {
    base::Result<std::vector<std::string>> list = read_list(value, count);
    if (!list) return list;
    for (auto entry = list->begin(); entry != list->end(); ++entry) {
        if (auto refusal = rule.check(*entry)) return base::Error{*std::move(refusal)};
        if (std::find(list->begin(), entry, *entry) != entry)
            return base::Error{quote(*entry) + " is in the list twice; leave one out"};
    }
    return list;
}

base::Result<std::vector<std::chrono::milliseconds>>
read_durations(const Value& value, const NumberRange& count, const DurationRange& range) {
    const base::Result<std::vector<std::string>> list = read_list(value, count);
    if (!list) return list.error();
    std::vector<std::chrono::milliseconds> durations;
    for (const std::string& entry : *list) {
        const base::Result<std::chrono::milliseconds> duration = read_duration(entry, range);
        if (!duration) return duration.error();
        durations.push_back(*duration);
    }
    return durations;
}

} // namespace docmap::config
