// Which partitions are this process's: takes them on at a rebalance, gives them back, and commits for them in
// between. Lives on the Kafka thread; owned by the group member. All of a partition's life is on one thread,
// so that nothing is committed for it once it is given back, and no lock is needed for that.
#pragma once

#include "base/time.hpp"
#include "kafka/handles.hpp"
#include "kafka/health.hpp"
#include "kafka/member_context.hpp"
#include "kafka/offset_committer.hpp"
#include "kafka/partition_set.hpp"
#include "kafka/start_offsets.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace docmap::kafka {

class Assignments {
  public:
    /// `client` is the group's consumer.
    Assignments(MemberContext& context, Health& health, rd_kafka_t& client)
        : context_(context), health_(health), client_(client), committer_(context.metrics) {}

    /// The group gave us these partitions. They are read once their start offsets are known.
    void on_assigned(const rd_kafka_topic_partition_list_t& listed);

    /// Whether what is under way gets a moment to be settled. At the end of the process it has had its time.
    enum class Drain { briefly, not_at_all };

    /// The group takes these partitions away: commits what is settled, tells the sink, lets go. Blocks for a
    /// moment.
    void on_revoked(const rd_kafka_topic_partition_list_t& listed, Drain drain);

    /// Goes on with an assignment whose start offsets are not known yet.
    void advance(base::SteadyTime now);

    /// When advance() has something to do again; nothing while no assignment waits.
    std::optional<base::SteadyTime> next_advance() const;

    /// Commits what was settled since the last time, without waiting.
    void commit();
    void on_commit_result(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* offsets) {
        committer_.on_result(error, offsets, partitions_);
    }

    /// The client is about to close: answers an assignment that still waits. librdkafka before 2.4 may never
    /// finish a close that begins while an answer is owed (its issues 4527 and 4884).
    void answer_waiting();

    /// The client could not be closed in order: the sink hears that the partitions are gone.
    void abandon();

    PartitionSet& partitions() { return partitions_; }

  private:
    static constexpr std::chrono::milliseconds start_offsets_timeout{1000};
    static constexpr std::chrono::milliseconds start_offsets_retry{250};
    static constexpr std::chrono::milliseconds last_commit_timeout{1500};
    static constexpr std::chrono::milliseconds longest_drain{300};
    static constexpr std::chrono::milliseconds drain_look{5};

    struct Waiting {
        PartitionListPtr listed;
        base::SteadyTime next_try{};
    };

    /// Asked at each assignment and kept: librdkafka before 2.1 may never answer once it closes (issue 4041).
    void learn_protocol();
    void begin(rd_kafka_topic_partition_list_t& listed, const std::vector<StartOffset>& starts);
    void assign(const rd_kafka_topic_partition_list_t& listed);
    static void drain_briefly(const std::vector<AssignedPartition>& partitions);
    void tell_revoked(const std::vector<AssignedPartition>& removed);
    void log_failure(const char* what, ErrorPtr error) const;

    MemberContext& context_;
    Health& health_;
    rd_kafka_t& client_;
    OffsetCommitter committer_;
    PartitionSet partitions_;
    std::optional<Waiting> waiting_;
    bool cooperative_ = false;
};

} // namespace docmap::kafka
