// A member of the consumer group: librdkafka's consumer, served turn by turn. Lives on the Kafka thread and
// is owned by it. close() begins the end; closed() tells when it is reached, which takes a few seconds at
// most, whatever the broker does.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "kafka/assignments.hpp"
#include "kafka/fetch_pace.hpp"
#include "kafka/handles.hpp"
#include "kafka/health.hpp"
#include "kafka/member_context.hpp"
#include "kafka/membership_watch.hpp"
#include "kafka/properties.hpp"
#include "kafka/read_pace.hpp"
#include "kafka/record_reader.hpp"
#include "kafka/statistics.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace docmap::kafka {

class GroupMember {
  public:
    /// Starts librdkafka's consumer and subscribes to the topics.
    static base::Result<std::unique_ptr<GroupMember>> join(MemberContext& context, const QueueLimits& limits);

    ~GroupMember();

    GroupMember(const GroupMember&) = delete;
    GroupMember& operator=(const GroupMember&) = delete;

    /// Sleeps until there is something to do and does it, in bounded steps.
    void turn();

    /// Reads no more, commits what is settled and leaves the group, in the turns that follow. Call once.
    void close();

    bool closed() const { return closed_; }

  private:
    static constexpr std::chrono::seconds tick_interval{1};
    static constexpr std::chrono::seconds topic_check_interval{10};
    static constexpr std::chrono::milliseconds metadata_timeout{500};
    static constexpr std::chrono::seconds close_timeout{3};
    static constexpr int max_messages_per_turn = 100; ///< of the main queue, which carries reports only

    explicit GroupMember(MemberContext& context);
    base::Result<void> subscribe();

    static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                             rd_kafka_topic_partition_list_t* listed, void* opaque);
    static void on_commit(rd_kafka_t* client, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* offsets, void* opaque);
    static void on_error(rd_kafka_t* client, int error, const char* reason, void* opaque);
    static int on_statistics(rd_kafka_t* client, char* json, std::size_t length, void* opaque);

    void believe_in_membership(base::SteadyTime now);
    std::chrono::milliseconds time_to_sleep() const;
    void serve_main_queue();
    /// Returns how many records there were.
    std::size_t read_records();
    void hand_over(std::vector<core::RecordPtr> records);
    void take_report(const rd_kafka_message_t& message);
    void on_partition_error(AssignedPartition& partition, const rd_kafka_message_t& message);
    void hold(AssignedPartition& partition, const rd_kafka_message_t& message);
    void on_fatal();
    void check_topics(base::SteadyTime now);
    void report_health(base::SteadyTime now);
    void serve_close(base::SteadyTime now);

    MemberContext& context_;
    Health health_;
    ProgressWatch progress_;
    RecordReader reader_;
    ReadPace pace_;
    FetchPace fetch_pace_;
    ClientPtr client_;
    QueueSignal main_queue_filled_;
    QueuePtr main_queue_;
    std::optional<Assignments> assignments_; ///< set once client_ is
    ProblemKind reported_ = ProblemKind::joining;
    base::SteadyTime next_tick_{};
    base::SteadyTime next_commit_{};
    base::SteadyTime next_topic_check_{};
    base::SteadyTime close_deadline_{};
    std::optional<MembershipWatch> membership_watch_; ///< set by join()
    bool more_to_read_ = false;
    bool fatal_reported_ = false;
    bool closing_ = false;
    bool closed_ = false;
};

} // namespace docmap::kafka
