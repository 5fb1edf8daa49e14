#include "daemon/commands.hpp"
#include "daemon/interrupt.hpp"
#include "daemon/replay_display.hpp"
#include "daemon/replay_plan.hpp"
#include "kafka/range_reader.hpp"
#include "store/replay_queue.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace docmap::daemon {

namespace {

using namespace std::chrono_literals;

/// What is looked up and queued in one transaction.
constexpr std::size_t batch_records = 500;
constexpr std::size_t batch_bytes = std::size_t{8} * 1024 * 1024;
constexpr auto read_wait = 250ms;
/// Where nothing is to be queued, the position is stored only this often.
constexpr auto position_interval = 1s;

std::string quoted(const std::string& text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("/._-+=:@%,").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (plain && !text.empty()) return text;
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

class Replay {
  public:
    Replay(const config::Config& config, const Options& options)
        : config_(config), options_(options), selection_(options.replay.selection) {}

    /// The process's exit code.
    int run();

  private:
    base::Result<void> open();
    base::Result<void> check_selection();
    base::Result<void> plan();
    base::Result<void> take_over();
    base::Result<void> read_all();
    base::Result<void> take(const std::vector<core::RecordPtr>& records);
    base::Result<std::vector<core::ReplayCandidate>> find_candidates(std::span<const core::EventPtr> events);
    base::Result<void> store(std::span<const core::ReplayCandidate> candidates);
    void begin_display();
    void follow_reader();
    std::uint64_t done() const;
    int end();
    int fail(const base::Error& error);
    std::string resume_command() const;
    bool stored() const { return !replay_id_.empty() && !options_.replay.dry_run; }

    const config::Config& config_;
    const Options& options_;
    Interrupt interrupt_;
    ReplayDisplay display_;
    std::unique_ptr<store::ReplayQueue> queue_;
    std::unique_ptr<kafka::RangeReader> reader_;
    std::unique_ptr<core::ReplayMatcher> matcher_;
    core::ReplaySelection selection_;
    std::string replay_id_; ///< empty: a new one that is not stored
    core::ReplayCounts counts_;
    std::vector<store::ReplayPosition> positions_;
    base::SystemTime log_start_{};
    base::SteadyTime stored_at_{};
};

int Replay::run() {
    auto result = open();
    if (result) result = options_.replay.resume_id.empty() ? plan() : take_over();
    if (result && !interrupt_.requested()) result = read_all();
    if (!result) return fail(result.error());
    return end();
}

base::Result<void> Replay::open() {
    auto queue = store::ReplayQueue::open(config_.postgres);
    if (!queue) return queue.error();
    queue_ = std::move(*queue);
    auto reader = kafka::RangeReader::open(config_.kafka);
    if (!reader) return reader.error();
    reader_ = std::move(*reader);
    log_start_ = base::system_now() - std::chrono::days(config_.postgres.retention_days);
    return {};
}

/// A webhook that is asked for must exist and be active; its user's events are the only ones it gets.
base::Result<void> Replay::check_selection() {
    if (!selection_.webhook_id.empty()) {
        const auto found = queue_->find_webhook(selection_.webhook_id);
        if (!found) return found.error();
        const std::string name = "webhook \"" + selection_.webhook_id + "\"";
        if (!*found) return base::Error{name + " does not exist: GET /v1/webhooks lists a user's webhooks"};
        const std::string& owner = (*found)->webhook.webhook->user_id;
        if (!(*found)->active)
            return base::Error{name + " is deactivated and gets no deliveries: activate it first"};
        if (!selection_.user_id.empty() && selection_.user_id != owner)
            return base::Error{name + " is not a webhook of user \"" + selection_.user_id +
                               "\": leave --user out, or name another webhook"};
        selection_.user_id = owner;
    } else if (!selection_.user_id.empty()) {
        const auto webhooks = queue_->webhooks_of(std::span(&selection_.user_id, 1));
        if (!webhooks) return webhooks.error();
        if (webhooks->empty())
            return base::Error{"user \"" + selection_.user_id +
                               "\" has no active webhook: there is nobody to deliver to"};
    }
    return {};
}

base::Result<void> Replay::plan() {
    if (auto checked = check_selection(); !checked) return checked;
    const auto alive = queue_->instance_is_alive();
    if (!alive) return alive.error();
    auto plan = make_replay_plan(config_, *reader_, selection_, *alive, interrupt_,
                                 [this](const std::string& message) { display_.tell(message); });
    if (!plan) return plan.error();
    positions_ = std::move(plan->positions);
    if (interrupt_.requested()) return {};
    if (plan->unsettled > 0)
        display_.tell(std::to_string(plan->unsettled) + " records are left out: the group \"" +
                      config_.kafka.group_id + "\" has not settled them, so its daemons still deliver them");
    if (!options_.replay.dry_run) {
        const auto begun = queue_->begin(selection_, positions_);
        if (!begun) return begun.error();
        replay_id_ = begun->id;
    }
    begin_display();
    return {};
}

base::Result<void> Replay::take_over() {
    const std::string& id = options_.replay.resume_id;
    auto stored = options_.replay.dry_run ? queue_->load(id) : queue_->resume(id);
    if (!stored) return stored.error();
    replay_id_ = stored->id;
    selection_ = stored->selection;
    counts_ = stored->counts;
    positions_ = std::move(stored->positions);
    begin_display();
    return {};
}

void Replay::begin_display() {
    std::uint64_t total = 0;
    for (const store::ReplayPosition& position : positions_)
        total += static_cast<std::uint64_t>(position.end - position.first);
    const std::string name = options_.replay.dry_run ? "dry run" : replay_id_;
    display_.tell(name + ": reading " + std::to_string(total - done()) + " records for deliveries to make (" +
                  std::string(core::name_of(selection_.status)) + ")");
    display_.begin(total, done());
}

base::Result<void> Replay::read_all() {
    matcher_ = std::make_unique<core::ReplayMatcher>(selection_, config_.kafka.max_event_bytes);
    std::vector<kafka::PartitionRange> ranges;
    for (const store::ReplayPosition& position : positions_)
        ranges.push_back({position.topic, position.partition, position.next, position.end});
    if (auto started = reader_->start(std::move(ranges), selection_.to); !started) return started;
    while (!reader_->finished() && !interrupt_.requested()) {
        const auto records = reader_->read(batch_records, batch_bytes, read_wait);
        if (!records) return records.error();
        if (auto taken = take(*records); !taken) return taken;
        display_.update(done(), counts_.queued);
    }
    if (auto last = store({}); !last) return last;
    return stored() && reader_->finished() ? queue_->finish(replay_id_) : base::Result<void>();
}

base::Result<void> Replay::take(const std::vector<core::RecordPtr>& records) {
    std::vector<core::EventPtr> events;
    for (const core::RecordPtr& record : records)
        if (core::EventPtr event = matcher_->match(record, counts_)) events.push_back(std::move(event));
    follow_reader();
    const auto candidates = find_candidates(events);
    if (!candidates) return candidates.error();
    if (candidates->empty() && std::chrono::steady_clock::now() - stored_at_ < position_interval) return {};
    return store(*candidates);
}

base::Result<std::vector<core::ReplayCandidate>>
Replay::find_candidates(std::span<const core::EventPtr> events) {
    if (events.empty()) return std::vector<core::ReplayCandidate>();
    std::set<std::string, std::less<>> users;
    for (const core::EventPtr& event : events)
        if (!users.contains(event->user_id())) users.emplace(event->user_id());
    const auto webhooks = queue_->webhooks_of(std::vector<std::string>(users.begin(), users.end()));
    if (!webhooks) return webhooks.error();
    return core::find_candidates(events, *webhooks, selection_, log_start_, counts_);
}

/// The counts and positions, and what is queued, in one transaction.
base::Result<void> Replay::store(std::span<const core::ReplayCandidate> candidates) {
    stored_at_ = std::chrono::steady_clock::now();
    const store::ReplayBatch batch{candidates, selection_.status, counts_};
    const auto counts = stored() ? queue_->queue(replay_id_, batch, positions_) : queue_->preview(batch);
    if (!counts) return counts.error();
    counts_ = *counts;
    return {};
}

void Replay::follow_reader() {
    const std::vector<kafka::PartitionRange>& ranges = reader_->ranges();
    for (std::size_t index = 0; index < ranges.size(); ++index)
        positions_[index].next = ranges[index].next;
}

std::uint64_t Replay::done() const {
    std::uint64_t sum = 0;
    for (const store::ReplayPosition& position : positions_)
        sum += static_cast<std::uint64_t>(position.next - position.first);
    return sum;
}

int Replay::end() {
    display_.clear();
    if (reader_->dropped() > 0)
        display_.tell(std::to_string(reader_->dropped()) +
                      " records could not be read: Kafka had dropped them by then (retention)");
    const bool finished = matcher_ != nullptr && reader_->finished();
    if (!finished) {
        display_.tell("interrupted" + (stored() ? "; go on with: " + resume_command() : std::string()));
        return exit_failed;
    }
    std::cout << "replay=" << (options_.replay.dry_run ? "dry-run" : replay_id_) << ' '
              << core::format(counts_) << std::endl;
    return exit_ok;
}

int Replay::fail(const base::Error& error) {
    display_.tell(error.message);
    // Not where the replay could not even be taken over.
    if (stored()) display_.tell("go on with: " + resume_command());
    return exit_failed;
}

std::string Replay::resume_command() const {
    std::string command = "docmap-webhookd replay --resume " + replay_id_;
    if (options_.config_file != default_config_file)
        command += " --config " + quoted(options_.config_file.string());
    return command;
}

} // namespace

int replay(const config::Config& config, const Options& options) {
    return Replay(config, options).run();
}

} // namespace docmap::daemon
