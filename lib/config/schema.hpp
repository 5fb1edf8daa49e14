// The keys of the configuration: one table that reading, environment overrides, error messages and the tests
// of the documentation all go by. Immutable; made on first use.
#pragma once

#include "config/config.hpp"
#include "config/value.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docmap::config {

struct Key {
    std::string section; ///< `delivery`
    std::string name;    ///< `timeout`
    Kind kind{};
    std::string allowed; ///< `100ms to 60s`
    std::string meaning; ///< one plain sentence

    /// Puts a value into the configuration, or returns why it is refused.
    std::function<std::optional<std::string>(Config&, const Value&)> assign;

    /// `delivery.timeout`
    std::string full_name() const { return section + "." + name; }

    /// `DOCMAP_WEBHOOKD_DELIVERY_TIMEOUT`
    std::string environment_variable() const;
};

inline constexpr std::string_view environment_prefix = "DOCMAP_WEBHOOKD_";

/// Every key, section by section. `[kafka.properties]` is no key: see kafka_properties.hpp.
const std::vector<Key>& all_keys();

/// The sections' names, in the order of the file.
std::vector<std::string> section_names();

/// The names of one section's keys.
std::vector<std::string> key_names(std::string_view section);

/// Nothing where there is no such key.
const Key* find_key(std::string_view section, std::string_view name);

} // namespace docmap::config
