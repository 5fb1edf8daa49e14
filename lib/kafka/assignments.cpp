#include "kafka/assignments.hpp"

#include "base/log.hpp"
#include "core/topic_name.hpp"
#include "kafka/record_maker.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace docmap::kafka {

namespace {

constexpr int max_partitions_logged = 50;

/// `extraction.completed[0] extraction.completed[1]`, cut off after some.
std::string names_of(const rd_kafka_topic_partition_list_t& listed) {
    std::string names;
    for (int index = 0; index < listed.cnt && index < max_partitions_logged; ++index) {
        if (index > 0) names += ' ';
        names += std::string(listed.elems[index].topic) + '[' +
                 std::to_string(listed.elems[index].partition) + ']';
    }
    if (listed.cnt > max_partitions_logged) names += " ...";
    return names;
}

} // namespace

void Assignments::learn_protocol() {
    const char* protocol = rd_kafka_rebalance_protocol(&client_);
    cooperative_ = protocol != nullptr && std::strcmp(protocol, "COOPERATIVE") == 0;
}

void Assignments::log_failure(const char* what, ErrorPtr error) const {
    if (error) base::log::error(what, {{"part", "kafka"}, {"reason", rd_kafka_error_string(error.get())}});
}

void Assignments::on_assigned(const rd_kafka_topic_partition_list_t& listed) {
    base::log::info("the consumer group assigned partitions",
                    {{"count", listed.cnt}, {"partitions", names_of(listed)}});
    learn_protocol();
    waiting_ = Waiting{PartitionListPtr(rd_kafka_topic_partition_list_copy(&listed)), {}};
    advance(std::chrono::steady_clock::now());
}

std::optional<base::SteadyTime> Assignments::next_advance() const {
    if (!waiting_) return std::nullopt;
    return waiting_->next_try;
}

void Assignments::advance(base::SteadyTime now) {
    if (!waiting_ || now < waiting_->next_try) return;
    base::Result<std::vector<StartOffset>> starts = find_start_offsets(
        client_, *waiting_->listed, context_.config.start_from == "latest", start_offsets_timeout);
    if (!starts) {
        health_.set_start_problem(starts.error().message);
        if (waiting_->next_try == base::SteadyTime{})
            base::log::warning("the start of an assignment cannot be read yet; trying again",
                               {{"part", "kafka"}, {"reason", starts.error().message}});
        waiting_->next_try = std::chrono::steady_clock::now() + start_offsets_retry;
        return;
    }
    const Waiting ready = std::move(*waiting_);
    waiting_.reset();
    begin(*ready.listed, *starts);
    health_.on_joined();
}

void Assignments::begin(rd_kafka_topic_partition_list_t& listed, const std::vector<StartOffset>& starts) {
    std::vector<core::AssignmentPtr> assigned;
    for (std::size_t index = 0; index < starts.size(); ++index) {
        const rd_kafka_topic_partition_t& entry = listed.elems[index];
        auto assignment =
            std::make_shared<core::Assignment>(next_assignment_id(), core::intern_topic(entry.topic),
                                               entry.partition, starts[index].first_offset);
        AssignedPartition& partition = partitions_.add(client_, assignment, context_.requests.wakeup);
        partition.committed_offset = starts[index].committed;
        partition.start_to_commit = starts[index].start_to_commit;
        health_.clear_topic_problem(assignment->topic());
        assigned.push_back(std::move(assignment));
    }
    if (!assigned.empty())
        boost::asio::post(context_.control,
                          [&sink = context_.sink, assigned = std::move(assigned)]() mutable {
                              sink.on_assigned(std::move(assigned));
                          });
    assign(listed);
}

void Assignments::assign(const rd_kafka_topic_partition_list_t& listed) {
    if (cooperative_)
        log_failure("partitions could not be taken on",
                    ErrorPtr(rd_kafka_incremental_assign(&client_, &listed)));
    else if (const auto error = rd_kafka_assign(&client_, &listed); error != RD_KAFKA_RESP_ERR_NO_ERROR)
        base::log::error("partitions could not be taken on",
                         {{"part", "kafka"}, {"reason", describe(error)}});
}

/// What is under way may end and be recorded meanwhile: each attempt that does is one that the next owner
/// need not repeat. Nobody signals a settled record to this thread, so it looks.
void Assignments::drain_briefly(const std::vector<AssignedPartition>& partitions) {
    const base::SteadyTime deadline = std::chrono::steady_clock::now() + longest_drain;
    const auto settled = [&] { return std::ranges::all_of(partitions, &AssignedPartition::is_settled); };
    while (!settled() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(drain_look);
}

void Assignments::on_revoked(const rd_kafka_topic_partition_list_t& listed, Drain drain) {
    const bool lost = rd_kafka_assignment_lost(&client_) != 0;
    base::log::write(lost ? base::log::Level::warning : base::log::Level::info,
                     lost ? "the consumer group took partitions away without waiting; nothing is committed"
                          : "the consumer group revoked partitions",
                     {{"count", listed.cnt}, {"partitions", names_of(listed)}});
    waiting_.reset();
    const std::vector<AssignedPartition> removed = partitions_.remove(listed);
    // A cooperative rebalance goes on meanwhile, and librdkafka's then aborts where it closes at the wrong
    // moment.
    if (!lost && drain == Drain::briefly && !cooperative_) drain_briefly(removed);
    if (!lost) committer_.commit_and_wait(client_, removed, last_commit_timeout);
    tell_revoked(removed);
    if (cooperative_)
        log_failure("partitions could not be given back",
                    ErrorPtr(rd_kafka_incremental_unassign(&client_, &listed)));
    else
        rd_kafka_assign(&client_, nullptr);
    // A cooperative rebalance leaves the others' reading untouched.
    if (partitions_.empty()) health_.on_left(std::chrono::steady_clock::now());
}

void Assignments::tell_revoked(const std::vector<AssignedPartition>& removed) {
    std::vector<core::AssignmentId> ids;
    for (const AssignedPartition& partition : removed) {
        health_.forget_partition(partition.assignment->topic(), partition.assignment->partition());
        ids.push_back(partition.assignment->id());
    }
    if (ids.empty()) return;
    boost::asio::post(context_.control, [&sink = context_.sink, ids = std::move(ids)]() mutable {
        sink.on_revoked(std::move(ids));
    });
}

void Assignments::commit() {
    // Once the group has given the partitions to others, a commit could move their offsets back.
    if (partitions_.empty() || rd_kafka_assignment_lost(&client_) != 0) return;
    committer_.commit(client_, partitions_.all());
}

void Assignments::answer_waiting() {
    if (!waiting_) return;
    const Waiting unread = std::move(*waiting_);
    waiting_.reset();
    // Nobody will read them; an offset that needs no look-up cannot hold the close up.
    for (int index = 0; index < unread.listed->cnt; ++index)
        unread.listed->elems[index].offset = RD_KAFKA_OFFSET_END;
    assign(*unread.listed);
}

void Assignments::abandon() {
    tell_revoked(partitions_.remove_all());
}

} // namespace docmap::kafka
