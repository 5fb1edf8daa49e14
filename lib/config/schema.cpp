#include "config/schema.hpp"

#include "config/readers.hpp"
#include "config/text_rules.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace docmap::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;
constexpr std::size_t GiB = 1024 * MiB;

/// Makes the keys of one section: each is tied to its member and to the reader of its type.
template<typename Section>
class KeysOf {
  public:
    KeysOf(std::string_view name, Section Config::*section) : name_(name), section_(section) {}

    Key duration(std::string_view name, milliseconds Section::*member, DurationRange range,
                 std::string_view meaning) const {
        return key(name, Kind::text, text_of(range), meaning, member,
                   [range](const Value& value) { return read_duration(value, range); });
    }

    Key number(std::string_view name, std::size_t Section::*member, NumberRange range,
               std::string_view meaning) const {
        return key(name, Kind::number, text_of(range), meaning, member,
                   [range](const Value& value) { return read_number(value, range); });
    }

    Key size(std::string_view name, std::size_t Section::*member, NumberRange range,
             std::string_view meaning) const {
        return key(name, Kind::number, size_text_of(range), meaning, member,
                   [range](const Value& value) { return read_size(value, range); });
    }

    Key flag(std::string_view name, bool Section::*member, std::string_view meaning) const {
        return key(name, Kind::flag, "true or false", meaning, member, read_flag);
    }

    Key text(std::string_view name, std::string Section::*member, const TextRule& rule,
             std::string_view meaning) const {
        return key(name, Kind::text, std::string(rule.allowed), meaning, member,
                   [rule](const Value& value) { return read_text(value, rule); });
    }

    Key choice(std::string_view name, std::string Section::*member, const std::vector<std::string>& choices,
               std::string_view meaning) const {
        return key(name, Kind::text, text_of_choices(choices), meaning, member,
                   [choices](const Value& value) { return read_choice(value, choices); });
    }

    Key texts(std::string_view name, std::vector<std::string> Section::*member, NumberRange count,
              const TextRule& rule, std::string_view meaning) const {
        return key(name, Kind::list, text_of(count) + " " + std::string(rule.allowed), meaning, member,
                   [count, rule](const Value& value) { return read_texts(value, count, rule); });
    }

    Key durations(std::string_view name, std::vector<milliseconds> Section::*member, NumberRange count,
                  DurationRange range, std::string_view meaning) const {
        return key(name, Kind::list, text_of(count) + " durations, each " + text_of(range), meaning, member,
                   [count, range](const Value& value) { return read_durations(value, count, range); });
    }

  private:
    template<typename Member, typename Read>
    Key key(std::string_view name, Kind kind, std::string allowed, std::string_view meaning,
            Member Section::*member, Read read) const {
        const auto assign = [section = section_, member, read](Config& config, const Value& value) {
            base::Result<Member> result = read(value);
            if (!result) return std::optional(result.error().message);
            config.*section.*member = *std::move(result);
            return std::optional<std::string>();
        };
        return {std::string(name_), std::string(name),    kind,
                std::move(allowed), std::string(meaning), assign};
    }

    std::string_view name_;
    Section Config::*section_;
};

std::vector<Key> kafka_keys() {
    const KeysOf<Kafka> in("kafka", &Config::kafka);
    return {
        in.text("brokers", &Kafka::brokers, a_broker_list, "Kafka brokers to ask first."),
        in.text("group_id", &Kafka::group_id, a_group_id,
                "Consumer group; all instances on one database share it."),
        in.texts("topics", &Kafka::topics, {1, 100}, a_topic, "Topics with extraction events."),
        in.size("max_event_bytes", &Kafka::max_event_bytes, {1 * KiB, 64 * MiB},
                "Largest record value; a larger one goes to rejected_events."),
        in.duration("commit_interval", &Kafka::commit_interval, {10ms, 1min},
                    "How often the offsets of settled events are committed."),
        in.duration("read_linger", &Kafka::read_linger, {0ms, 100ms},
                    "How long events gather where they come fast, so that many are handled at once."),
        in.choice("start_from", &Kafka::start_from, {"earliest", "latest"},
                  "Where to begin in a partition that the group has never committed."),
    };
}

std::vector<Key> postgres_keys() {
    const KeysOf<Postgres> in("postgres", &Config::postgres);
    return {
        in.text("url", &Postgres::url, a_postgres_url,
                "The database. Where it is set neither here nor in the environment, the systemd credential "
                "\"postgres-url\" is used if there is one."),
        in.number("connections", &Postgres::connections, {1, 100},
                  "Connections for the API and for looking up webhooks."),
        in.number("writer_connections", &Postgres::writer_connections, {1, 32},
                  "Connections that write delivery records."),
        in.number("max_queued_jobs", &Postgres::max_queued_jobs, {1, 1'000'000},
                  "Queries that may wait for a connection of a pool; more are refused as unavailable."),
        in.duration("connect_timeout", &Postgres::connect_timeout, {1s, 1min},
                    "Longest wait for a connection."),
        in.duration("statement_timeout", &Postgres::statement_timeout, {100ms, 10min},
                    "Longest run of one query."),
        in.number("retention_days", &Postgres::retention_days, {7, 3650},
                  "Delivery records older than that many days are dropped, a day at a time."),
    };
}

std::vector<Key> intake_keys() {
    const KeysOf<Intake> in("intake", &Config::intake);
    return {
        in.number("max_events", &Intake::max_events, {1, 10'000'000},
                  "Events in the daemon at once; at this limit partitions are held back."),
        in.size("max_bytes", &Intake::max_bytes, {64 * KiB, 64 * GiB},
                "Memory of the events in the daemon at once; at this limit partitions are held back."),
        in.number("max_uncommitted_events", &Intake::max_uncommitted_events, {1, 100'000'000},
                  "Events of one partition that may be settled or in flight above its first unsettled one."),
        in.number("subscription_cache_users", &Intake::subscription_cache_users, {1, 10'000'000},
                  "Users whose webhooks are kept in memory."),
    };
}

std::vector<Key> delivery_keys() {
    const KeysOf<Delivery> in("delivery", &Config::delivery);
    return {
        in.duration(
            "timeout", &Delivery::timeout, {100ms, 1min},
            "Longest time for one attempt, from looking for a connection to the end of what is read."),
        in.number("max_in_flight", &Delivery::max_in_flight, {1, 1'000'000}, "Attempts at once."),
        in.number("max_in_flight_per_endpoint", &Delivery::max_in_flight_per_endpoint, {1, 1'000'000},
                  "Attempts at once to one webhook; not above max_in_flight."),
        in.durations("retry_schedule", &Delivery::retry_schedule, {0, 20}, {100ms, 24h},
                     "Waits after each failed attempt, before the next one, each 20 % shorter or longer at "
                     "random; an empty "
                     "list means one attempt only."),
        in.duration("deactivate_after", &Delivery::deactivate_after, {1min, 24h * 365},
                    "A webhook whose every attempt has failed for so long is deactivated; below "
                    "postgres.retention_days."),
        in.number("max_queued_per_endpoint", &Delivery::max_queued_per_endpoint, {1, 10'000'000},
                  "Deliveries to one webhook that may wait in memory; more wait in the database."),
        in.duration("max_wait", &Delivery::max_wait, {10ms, 1min},
                    "Longest wait of a delivery in memory; after that it waits in the database."),
        in.number("breaker_failures", &Delivery::breaker_failures, {1, 1'000'000},
                  "Failures in a row after which an endpoint is left alone but for probes."),
        in.duration(
            "breaker_pause", &Delivery::breaker_pause, {10ms, 1h},
            "Wait before the first probe of such an endpoint; it doubles with each probe that fails."),
        in.duration("breaker_max_pause", &Delivery::breaker_max_pause, {10ms, 24h},
                    "Longest wait between two probes; not below breaker_pause."),
        in.flag("allow_http", &Delivery::allow_http, "Accept http:// URLs. For development only."),
        in.texts("allow_networks", &Delivery::allow_networks, {0, 256}, a_network,
                 "Networks that may be called although they are not globally routable."),
        in.text("ca_file", &Delivery::ca_file, a_file,
                "PEM file of certificate authorities to trust besides the system's."),
        in.number("shards", &Delivery::shards, {0, 256},
                  "Delivery threads; 0 means three for four cores, at least one."),
        in.number("max_idle_connections", &Delivery::max_idle_connections, {0, 1'000'000},
                  "Unused connections kept open for reuse, over all endpoints."),
        in.duration("idle_timeout", &Delivery::idle_timeout, {100ms, 1h},
                    "How long an unused connection is kept open."),
        in.number("max_opening_connections", &Delivery::max_opening_connections, {1, 1'000'000},
                  "Connections to one scheme, host and port that a delivery thread opens at the same time; "
                  "further deliveries wait for an open one."),
        in.duration("connection_wait", &Delivery::connection_wait, {0ms, 10s},
                    "Longest wait for an open connection; after that a further one is opened."),
        in.number("max_prepared_webhooks", &Delivery::max_prepared_webhooks, {1, 100'000'000},
                  "Webhooks whose prepared requests are kept in memory; others are prepared anew when they "
                  "are called."),
        in.number("dns_threads", &Delivery::dns_threads, {1, 64}, "Threads that resolve host names."),
        in.duration("dns_cache_ttl", &Delivery::dns_cache_ttl, {0ms, 1h},
                    "How long a resolved host name is remembered."),
        in.number("record_batch_rows", &Delivery::record_batch_rows, {1, 10'000},
                  "Most delivery records written in one transaction."),
        in.duration("record_linger", &Delivery::record_linger, {0ms, 1s},
                    "Longest wait for more delivery records before a transaction."),
        in.duration("drain_timeout", &Delivery::drain_timeout, {0ms, 1min},
                    "How long attempts may go on after SIGTERM."),
    };
}

std::vector<Key> queue_keys() {
    const KeysOf<Queue> in("queue", &Config::queue);
    return {
        in.duration(
            "lease", &Queue::lease, {0ms, 1h},
            "How long what an instance has claimed from the queue stays its own without a sign of life; at "
            "least twice delivery.timeout. 0s means three times delivery.timeout."),
        in.number("max_claimed_events", &Queue::max_claimed_events, {1, 1'000'000},
                  "Queued deliveries in memory at once."),
        in.size("max_claimed_bytes", &Queue::max_claimed_bytes, {64 * KiB, 64 * GiB},
                "Bodies of queued deliveries in memory at once."),
    };
}

/// The one key that fills two members.
Key listen_key() {
    const auto assign = [](Config& config, const Value& value) -> std::optional<std::string> {
        const base::Result<std::string> text = read_text(value, a_listen_address);
        if (!text) return text.error().message;
        ListenAddress listen = parse_listen_address(*text).value();
        config.api.listen_address = std::move(listen.address);
        config.api.listen_port = listen.port;
        return std::nullopt;
    };
    return {"api",
            "listen",
            Kind::text,
            std::string(a_listen_address.allowed),
            "Address and port of the HTTP API; port 0 means any free one, logged at start.",
            assign};
}

std::vector<Key> api_keys() {
    const KeysOf<Api> in("api", &Config::api);
    return {
        listen_key(),
        in.text("tls_certificate", &Api::tls_certificate, a_file,
                "PEM file of the API's certificate chain; together with tls_key it serves HTTPS."),
        in.text("tls_key", &Api::tls_key, a_file, "PEM file of the private key to tls_certificate."),
        in.number("max_connections", &Api::max_connections, {1, 100'000}, "Connections to the API at once."),
        in.size("max_body_bytes", &Api::max_body_bytes, {1 * KiB, 16 * MiB},
                "Largest body of an API request."),
        in.duration("request_timeout", &Api::request_timeout, {100ms, 10min},
                    "Longest time for a request to arrive and to be answered."),
    };
}

std::vector<Key> secrets_keys() {
    const KeysOf<Secrets> in("secrets", &Config::secrets);
    return {
        in.text("master_key_file", &Secrets::master_key_file, a_file,
                "File with the key that signing secrets are encrypted with: 64 hex characters, as made by: "
                "openssl "
                "rand -hex 32. Where it is empty, the systemd credential \"master-key\" is used."),
    };
}

std::vector<Key> log_keys() {
    const KeysOf<Log> in("log", &Config::log);
    return {
        in.choice("level", &Log::level, {"debug", "info", "warning", "error"}, "The least that is logged."),
        in.choice("format", &Log::format, {"json", "text"}, "Form of the log lines."),
    };
}

std::vector<Key> make_keys() {
    std::vector<Key> keys;
    for (const auto& section : {kafka_keys(), postgres_keys(), intake_keys(), delivery_keys(), queue_keys(),
                                api_keys(), secrets_keys(), log_keys()})
        keys.insert(keys.end(), section.begin(), section.end());
    return keys;
}

} // namespace

std::string Key::environment_variable() const {
    std::string variable(environment_prefix);
    for (const char c : section + "_" + name)
        variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return variable;
}

const std::vector<Key>& all_keys() {
    static const std::vector<Key> keys = make_keys();
    return keys;
}

std::vector<std::string> section_names() {
    std::vector<std::string> names;
    for (const Key& key : all_keys())
        if (names.empty() || names.back() != key.section) names.push_back(key.section);
    return names;
}

std::vector<std::string> key_names(std::string_view section) {
    std::vector<std::string> names;
    for (const Key& key : all_keys())
        if (key.section == section) names.push_back(key.name);
    return names;
}

const Key* find_key(std::string_view section, std::string_view name) {
    const auto key = std::ranges::find_if(all_keys(), [&](const Key& candidate) {
        return candidate.section == section && candidate.name == name;
    });
    return key == all_keys().end() ? nullptr : &*key;
}

} // namespace docmap::config
