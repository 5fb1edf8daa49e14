#include "config/environment_reader.hpp"

#include "config/files.hpp"
#include "config/schema.hpp"
#include "config/spelling.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace docmap::config {
namespace {

void assign(const Key& key, const Origin& origin, const Value& value, Config& config, Findings& findings) {
    const std::string name = key.full_name();
    findings.set_origin(name, origin);
    if (auto refusal = key.assign(config, value)) findings.report(name, *std::move(refusal));
}

/// Kubernetes gives every pod such variables for each service, also for one called docmap-webhookd-api.
bool is_from_kubernetes(std::string_view variable) {
    return variable.ends_with("_SERVICE_HOST") || variable.find("_SERVICE_PORT") != std::string_view::npos ||
           variable.ends_with("_PORT") || variable.find("_PORT_") != std::string_view::npos;
}

/// True where the variable is named like one of a section of ours.
bool names_a_section(std::string_view variable) {
    return std::ranges::any_of(all_keys(), [&](const Key& key) {
        const std::string example = key.environment_variable();
        return variable.starts_with(std::string_view(example).substr(0, example.size() - key.name.size()));
    });
}

void report_unknown(const std::string& variable, Findings& findings) {
    if (variable.starts_with("DOCMAP_WEBHOOKD_KAFKA_PROPERTIES"))
        return findings.report_at({variable}, "", "[kafka.properties] can be set in the file only");
    std::vector<std::string> variables;
    for (const Key& key : all_keys())
        variables.push_back(key.environment_variable());
    const auto nearest = nearest_name(variable, variables);
    if (!nearest && (!names_a_section(variable) || is_from_kubernetes(variable))) return;
    findings.report_at({variable}, "",
                       nearest ? "unknown variable; did you mean " + *nearest + "?"
                               : "unknown variable; no key of the configuration has this name");
}

} // namespace

void read_environment(const Environment& environment, Config& config, Findings& findings) {
    for (auto entry = environment.lower_bound(environment_prefix);
         entry != environment.end() && entry->first.starts_with(environment_prefix); ++entry) {
        const auto& [variable, text] = *entry;
        const auto key = std::ranges::find(all_keys(), variable, &Key::environment_variable);
        if (key == all_keys().end())
            report_unknown(variable, findings);
        else
            assign(*key, {variable}, value_from_environment(text, key->kind), config, findings);
    }
}

void read_credentials(const Environment& environment, Config& config, Findings& findings) {
    const Key& key = *find_key("postgres", "url");
    if (findings.is_set(key.full_name())) return;
    const auto path = credential_path(environment, "postgres-url");
    if (!path) return;

    const base::Result<std::string> text = read_file(*path);
    if (!text) return findings.report_at({path->string()}, key.full_name(), text.error().message);
    std::string_view url = *text;
    while (url.ends_with('\n') || url.ends_with('\r'))
        url.remove_suffix(1);
    assign(key, {path->string()}, std::string(url), config, findings);
}

} // namespace docmap::config
