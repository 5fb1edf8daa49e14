// A consumer under test, with a control thread and a sink that remembers what came.
#pragma once

#include "broker_client.hpp"
#include "core/offset_ledger.hpp"
#include "kafka/consumer.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace docmap::kafka::test {

inline constexpr std::chrono::seconds patience{30};

/// Remembers everything; can settle records as the pipeline does. Any thread may look.
class RecordingSink final : public ports::RecordSink {
  public:
    void on_assigned(std::vector<core::AssignmentPtr> assignments) override;
    void on_records(std::vector<core::RecordPtr> records) override;
    void on_revoked(std::vector<core::AssignmentId> assignments) override;

    /// Settles each record as it comes.
    void settle_at_once() { settle_at_once_ = true; }
    void settle(const core::RecordPtr& record);

    /// False where the condition did not come true in time.
    bool wait_for_records(std::size_t count, std::chrono::milliseconds timeout = patience);
    bool wait_for_assignments(std::size_t count, std::chrono::milliseconds timeout = patience);
    bool wait_for_revocations(std::size_t count, std::chrono::milliseconds timeout = patience);

    std::vector<core::RecordPtr> records() const;
    std::vector<std::string> values() const;
    std::vector<core::AssignmentPtr> assignments() const;
    std::size_t record_count() const;
    std::size_t revocations() const;
    std::size_t live_assignments() const;
    std::size_t largest_handover() const;

    /// What must never be: a record before its assignment, after its revocation, or out of order.
    std::vector<std::string> violations() const;

  private:
    void settle_locked(const core::RecordPtr& record);

    struct Partition {
        core::AssignmentPtr assignment;
        core::OffsetLedger ledger;
        std::uint64_t next_sequence = 0;
        std::int64_t last_offset = -1;
        bool revoked = false;
    };

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<core::AssignmentId, Partition> partitions_;
    std::vector<core::AssignmentPtr> assignments_;
    std::vector<core::RecordPtr> records_;
    std::vector<std::string> violations_;
    std::size_t revocations_ = 0;
    std::size_t largest_handover_ = 0;
    bool settle_at_once_ = false;
};

class Subject {
  public:
    explicit Subject(const config::Kafka& config);

    /// Closes the consumer where the test did not.
    ~Subject();

    /// Grants without end and starts.
    void start();

    /// Closes and waits for the closed callback; false where it took longer than `timeout`.
    bool close(std::chrono::milliseconds timeout = std::chrono::seconds{8});

    bool wait_until_ready();
    /// Waits until the consumer is not ready for a reason with that text in it.
    bool wait_for_problem(const std::string& text, std::chrono::milliseconds timeout = patience);
    std::string problem() const { return health.parts().at("kafka").detail; }
    const std::string& group() const { return group_; }
    double commits() const { return metrics.offset_commits.Value(); }
    std::string fatal() const;

    base::HealthBoard health;
    base::Metrics metrics;
    RecordingSink sink;

  private:
    std::string group_;
    boost::asio::io_context control_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{control_.get_executor()};
    std::thread control_thread_;
    mutable std::mutex mutex_;
    std::condition_variable closed_changed_;
    bool closed_ = false;
    std::string fatal_;

  public:
    Consumer consumer;
};

/// Waits for a condition that nobody announces.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds timeout = patience);

/// A configuration that is quick against any broker: short sessions, frequent commits.
config::Kafka quick_config(const std::string& brokers, const std::string& topic);

} // namespace docmap::kafka::test
