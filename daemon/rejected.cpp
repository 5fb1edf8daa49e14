#include "core/event_decoder.hpp"
#include "daemon/commands.hpp"
#include "kafka/record_producer.hpp"
#include "store/rejected_events_admin.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace docmap::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t page_ids = 500;
/// The row is locked meanwhile, and PostgreSQL ends this transaction when it is idle for the statement
/// timeout.
constexpr std::chrono::milliseconds longest_write = 10s;

int fail(const base::Error& error) {
    std::cerr << "docmap-webhookd rejected: " << error.message << '\n';
    return exit_failed;
}

/// Tabs and line ends would break the table.
std::string one_field(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return text;
}

class RejectedReplay {
  public:
    RejectedReplay(const config::Config& config, const RejectedReplayOptions& options)
        : config_(config), options_(options), decoder_(config.kafka.max_event_bytes) {}

    int run();

  private:
    base::Result<void> open();
    base::Result<void> replay_all();
    void replay_one(std::int64_t id);
    base::Result<void> feed(const store::RejectedEvent& event, std::string& where);
    base::Result<void> check(const store::RejectedEvent& event, const std::optional<std::string>& value);

    const config::Config& config_;
    const RejectedReplayOptions& options_;
    core::EventDecoder decoder_;
    std::unique_ptr<store::RejectedEvents> events_;
    std::unique_ptr<kafka::RecordProducer> producer_;
    std::optional<std::string> given_value_;
    bool all_fed_ = true;
};

int RejectedReplay::run() {
    if (const auto opened = open(); !opened) return fail(opened.error());
    if (options_.all) {
        if (const auto done = replay_all(); !done) return fail(done.error());
    } else {
        for (const std::int64_t id : options_.ids)
            replay_one(id);
    }
    return all_fed_ ? exit_ok : exit_failed;
}

base::Result<void> RejectedReplay::open() {
    if (!options_.value_file.empty()) {
        std::ifstream file(options_.value_file, std::ios::binary);
        given_value_.emplace(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        if (!file) return base::Error{"--value-file " + options_.value_file.string() + " cannot be read"};
    }
    auto events = store::RejectedEvents::open(config_.postgres);
    if (!events) return events.error();
    events_ = std::move(*events);
    auto producer = kafka::RecordProducer::open(
        config_.kafka, std::min(longest_write, config_.postgres.statement_timeout * 2 / 3));
    if (!producer) return producer.error();
    producer_ = std::move(*producer);
    return {};
}

base::Result<void> RejectedReplay::replay_all() {
    std::int64_t last = 0;
    while (true) {
        const auto ids = events_->not_replayed(last, page_ids);
        if (!ids) return ids.error();
        if (ids->empty()) return {};
        for (const std::int64_t id : *ids)
            replay_one(id);
        last = ids->back();
    }
}

/// One line: where the record is now, or why it was not fed in.
void RejectedReplay::replay_one(std::int64_t id) {
    std::string where;
    const auto done =
        events_->replay(id, [&](const store::RejectedEvent& event) { return feed(event, where); });
    if (done) {
        std::cout << id << "\treplayed\t" << where << std::endl;
        return;
    }
    all_fed_ = false;
    const std::string state =
        where.empty() ? "not replayed" : "written to " + where + " but not marked as replayed";
    std::cout << id << '\t' << state << '\t' << one_field(done.error().message) << std::endl;
}

base::Result<void> RejectedReplay::feed(const store::RejectedEvent& event, std::string& where) {
    if (event.replayed_at && !options_.again)
        return base::Error{"it was fed in again at " + base::format_iso8601(*event.replayed_at) +
                           ": --again does it once more"};
    const std::optional<std::string>& value = given_value_ ? given_value_ : event.value;
    if (auto checked = check(event, value); !checked) return checked;
    const auto offset = producer_->write({event.topic, event.partition, event.key, value});
    if (!offset) return base::Error{"Kafka: " + offset.error().message};
    where = event.topic + "[" + std::to_string(event.partition) + "]@" + std::to_string(*offset);
    return {};
}

/// A record that still breaks the rules would only be rejected once more.
base::Result<void> RejectedReplay::check(const store::RejectedEvent& event,
                                         const std::optional<std::string>& value) {
    core::RecordFields fields;
    fields.topic = &event.topic;
    fields.partition = event.partition;
    fields.offset = event.offset;
    fields.value = value;
    fields.key = event.key;
    const core::DecodeResult decoded = decoder_.decode(core::Record::create(fields));
    if (decoded) return {};
    return base::Error{"it would be rejected again (" + decoded.error().message +
                       "): give a corrected value with --value-file"};
}

} // namespace

int list_rejected(const config::Config& config, const Options& options) {
    const RejectedListOptions& wanted = options.rejected_list;
    const auto events =
        store::list_rejected_events(config.postgres, {wanted.limit, wanted.topic, wanted.since, wanted.all});
    if (!events) return fail(events.error());
    std::cout << "ID\tTOPIC\tPARTITION\tOFFSET\tREJECTED\tBYTES\tREPLAYED\tREASON\n";
    for (const store::RejectedEventView& event : *events)
        std::cout << event.id << '\t' << event.topic << '\t' << event.partition << '\t' << event.offset
                  << '\t' << base::format_iso8601(event.rejected_at) << '\t'
                  << (event.value_bytes ? std::to_string(*event.value_bytes) : "-") << '\t'
                  << (event.replayed_at ? base::format_iso8601(*event.replayed_at) : "-") << '\t'
                  << one_field(event.reason) << '\n';
    return exit_ok;
}

int replay_rejected(const config::Config& config, const Options& options) {
    return RejectedReplay(config, options.rejected_replay).run();
}

} // namespace docmap::daemon
