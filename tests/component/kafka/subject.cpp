#include "subject.hpp"

#include <algorithm>

namespace docmap::kafka::test {

void RecordingSink::on_assigned(std::vector<core::AssignmentPtr> assignments) {
    const std::lock_guard lock(mutex_);
    for (core::AssignmentPtr& assignment : assignments) {
        partitions_[assignment->id()].assignment = assignment;
        assignments_.push_back(std::move(assignment));
    }
    changed_.notify_all();
}

void RecordingSink::on_records(std::vector<core::RecordPtr> records) {
    const std::lock_guard lock(mutex_);
    largest_handover_ = std::max(largest_handover_, records.size());
    for (core::RecordPtr& record : records) {
        const auto found = partitions_.find(record->assignment());
        if (found == partitions_.end()) {
            violations_.push_back("a record came before its assignment");
            continue;
        }
        Partition& partition = found->second;
        if (partition.revoked) violations_.push_back("a record came after its revocation");
        if (record->sequence() != partition.next_sequence++) violations_.push_back("a sequence has a gap");
        if (record->offset() <= partition.last_offset) violations_.push_back("offsets do not rise");
        if (record->offset() < partition.assignment->first_offset())
            violations_.push_back("a record lies below the first offset");
        partition.last_offset = record->offset();
        partition.ledger.receive(record->sequence(), record->offset());
        partition.ledger.expect(record->sequence(), 1);
        if (settle_at_once_) settle_locked(record);
        records_.push_back(std::move(record));
    }
    changed_.notify_all();
}

void RecordingSink::on_revoked(std::vector<core::AssignmentId> assignments) {
    const std::lock_guard lock(mutex_);
    for (const core::AssignmentId id : assignments) {
        if (!partitions_.contains(id) || partitions_[id].revoked)
            violations_.push_back("an unknown assignment was revoked");
        partitions_[id].revoked = true;
        ++revocations_;
    }
    changed_.notify_all();
}

void RecordingSink::settle(const core::RecordPtr& record) {
    const std::lock_guard lock(mutex_);
    settle_locked(record);
}

void RecordingSink::settle_locked(const core::RecordPtr& record) {
    Partition& partition = partitions_.at(record->assignment());
    if (!partition.ledger.settle_one(record->sequence())) return;
    const std::int64_t settled = partition.ledger.settled_offset();
    if (settled > partition.assignment->settled_offset()) partition.assignment->publish_settled(settled);
}

bool RecordingSink::wait_for_records(std::size_t count, std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return records_.size() >= count; });
}

bool RecordingSink::wait_for_assignments(std::size_t count, std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return assignments_.size() >= count; });
}

bool RecordingSink::wait_for_revocations(std::size_t count, std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return revocations_ >= count; });
}

std::vector<core::RecordPtr> RecordingSink::records() const {
    const std::lock_guard lock(mutex_);
    return records_;
}

std::vector<std::string> RecordingSink::values() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> values;
    for (const core::RecordPtr& record : records_)
        values.emplace_back(record->value().value_or("null"));
    return values;
}

std::vector<core::AssignmentPtr> RecordingSink::assignments() const {
    const std::lock_guard lock(mutex_);
    return assignments_;
}

std::size_t RecordingSink::record_count() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
}

std::size_t RecordingSink::revocations() const {
    const std::lock_guard lock(mutex_);
    return revocations_;
}

std::size_t RecordingSink::live_assignments() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(partitions_.begin(), partitions_.end(),
                                                  [](const auto& entry) { return !entry.second.revoked; }));
}

std::size_t RecordingSink::largest_handover() const {
    const std::lock_guard lock(mutex_);
    return largest_handover_;
}

std::vector<std::string> RecordingSink::violations() const {
    const std::lock_guard lock(mutex_);
    return violations_;
}

Subject::Subject(const config::Kafka& config)
    : group_(config.group_id), control_thread_([this] { control_.run(); }),
      consumer(config, control_.get_executor(), sink, health, metrics, [this](std::string reason) {
          const std::lock_guard lock(mutex_);
          fatal_ = std::move(reason);
      }) {}

Subject::~Subject() {
    close();
    work_.reset();
    control_.stop();
    control_thread_.join();
}

void Subject::start() {
    consumer.grant(std::size_t{1} << 40, std::size_t{1} << 50);
    consumer.start().value();
}

bool Subject::close(std::chrono::milliseconds timeout) {
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return true;
    }
    consumer.close([this] {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        closed_changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    return closed_changed_.wait_for(lock, timeout, [this] { return closed_; });
}

bool Subject::wait_until_ready() {
    return eventually([this] { return health.parts().at("kafka").ready; });
}

bool Subject::wait_for_problem(const std::string& text, std::chrono::milliseconds timeout) {
    return eventually([&] { return problem().find(text) != std::string::npos; }, timeout);
}

std::string Subject::fatal() const {
    const std::lock_guard lock(mutex_);
    return fatal_;
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

config::Kafka quick_config(const std::string& brokers, const std::string& topic) {
    config::Kafka config;
    config.brokers = brokers;
    config.group_id = unique_name("group");
    config.topics = {topic};
    config.commit_interval = std::chrono::milliseconds{100};
    config.properties = {
        {"session.timeout.ms", "3000"}, {"heartbeat.interval.ms", "300"}, {"fetch.wait.max.ms", "10"}};
    return config;
}

} // namespace docmap::kafka::test
