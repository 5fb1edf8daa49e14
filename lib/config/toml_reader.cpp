#include "config/toml_reader.hpp"

#include "config/kafka_properties.hpp"
#include "config/schema.hpp"
#include "config/spelling.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace docmap::config {
namespace {

std::string name_of(toml::node_type type) {
    switch (type) {
    case toml::node_type::table:
        return "a section";
    case toml::node_type::floating_point:
        return "a number with a fraction";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
        return "a date or time";
    default:
        return "a list of mixed things";
    }
}

Value value_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* flag = node.as_boolean()) return flag->get();
    const toml::array* const array = node.as_array();
    if (array == nullptr || !(array->empty() || array->is_homogeneous<std::string>()))
        return OtherType{name_of(node.type())};
    std::vector<std::string> list;
    for (const toml::node& entry : *array)
        list.push_back(entry.as_string()->get());
    return list;
}

std::string join(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

class Reader {
  public:
    Reader(const std::string& file, Config& config, Findings& findings)
        : file_(file), config_(config), findings_(findings) {}

    void read_root(const toml::table& root) {
        const std::vector<std::string> sections = section_names();
        for (const auto& [key, node] : root) {
            const std::string name(key.str());
            if (std::ranges::find(sections, name) == sections.end())
                report_unknown_section(key, node.is_table());
            else if (const toml::table* const section = node.as_table())
                read_section(name, *section);
            else
                findings_.report_at(origin_of(key), name, "is a section, not a key; write [" + name + "]");
        }
    }

  private:
    void read_section(const std::string& section, const toml::table& table) {
        for (const auto& [key, node] : table) {
            if (section == "kafka" && key.str() == "properties")
                read_properties(key, node);
            else if (const Key* const known = find_key(section, key.str()))
                read_key(*known, origin_of(key), node);
            else
                report_unknown_key(section, key);
        }
    }

    void read_key(const Key& key, const Origin& origin, const toml::node& node) {
        const std::string name = key.full_name();
        findings_.set_origin(name, origin);
        if (auto refusal = key.assign(config_, value_of(node))) findings_.report(name, *std::move(refusal));
    }

    void read_properties(const toml::key& key, const toml::node& node) {
        if (const toml::table* const properties = node.as_table())
            add_properties("", *properties);
        else
            findings_.report_at(origin_of(key), "kafka.properties", "is a section; write [kafka.properties]");
    }

    /// TOML reads `security.protocol = …` as a table within a table; both spellings mean the same property.
    void add_properties(const std::string& prefix, const toml::table& table) {
        for (const auto& [key, node] : table) {
            const std::string property = prefix + std::string(key.str());
            if (const toml::table* const nested = node.as_table())
                add_properties(property + ".", *nested);
            else
                add_property(property, origin_of(key), value_of(node));
        }
    }

    void add_property(const std::string& property, const Origin& origin, const Value& value) {
        const std::string name = "kafka.properties." + property;
        if (auto refusal = check_kafka_property(property))
            return findings_.report_at(origin, name, *std::move(refusal));
        if (const auto* text = std::get_if<std::string>(&value))
            config_.kafka.properties.emplace_back(property, *text);
        else if (std::holds_alternative<std::int64_t>(value) || std::holds_alternative<bool>(value))
            config_.kafka.properties.emplace_back(property, describe(value));
        else
            findings_.report_at(origin, name, describe(value) + " is not a property's value; write a text");
    }

    void report_unknown_section(const toml::key& key, bool is_section) {
        const std::string name(key.str());
        const std::vector<std::string> sections = section_names();
        std::string message = is_section ? "unknown section; " : "unknown key outside of any section; ";
        std::optional<std::string> nearest =
            is_section ? nearest_name(name, sections) : section_with_key(name);
        if (nearest)
            message += is_section ? "did you mean [" + *nearest + "]?" : "put it under [" + *nearest + "]";
        else
            message += "the sections are " + join(sections);
        findings_.report_at(origin_of(key), name, std::move(message));
    }

    void report_unknown_key(const std::string& section, const toml::key& key) {
        const std::string name(key.str());
        const std::vector<std::string> names = key_names(section);
        std::string message = "unknown key; ";
        if (const auto nearest = nearest_name(name, names))
            message += "did you mean \"" + *nearest + "\"?";
        else if (const auto other_section = section_with_key(name))
            message += "it belongs under [" + *other_section + "]";
        else
            message += "the keys of [" + section + "] are " + join(names);
        findings_.report_at(origin_of(key), section + "." + name, std::move(message));
    }

    static std::optional<std::string> section_with_key(std::string_view name) {
        const auto key = std::ranges::find(all_keys(), name, &Key::name);
        if (key == all_keys().end()) return std::nullopt;
        return key->section;
    }

    Origin origin_of(const toml::key& key) const { return {file_, key.source().begin.line}; }

    const std::string& file_;
    Config& config_;
    Findings& findings_;
};

} // namespace

bool read_toml(std::string_view text, const std::string& file, Config& config, Findings& findings) {
    toml::table root;
    try {
        root = toml::parse(text, file);
    } catch (const toml::parse_error& error) {
        findings.report_at({file, error.source().begin.line}, "",
                           "is not valid TOML: " + std::string(error.description()));
        return false;
    }
    Reader(file, config, findings).read_root(root);
    return true;
}

} // namespace docmap::config
