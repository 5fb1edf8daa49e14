#include "kafka/offset_committer.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace docmap::kafka {

namespace {

void add(rd_kafka_topic_partition_list_t& offsets, const AssignedPartition& partition) {
    const std::int64_t offset = partition.offset_to_commit();
    if (offset < 0) return;
    const core::Assignment& assignment = *partition.assignment;
    rd_kafka_topic_partition_list_add(&offsets, assignment.topic().c_str(), assignment.partition())->offset =
        offset;
}

PartitionListPtr offsets_to_commit(const std::vector<AssignedPartition>& partitions) {
    PartitionListPtr offsets = make_partition_list(static_cast<int>(partitions.size()));
    for (const AssignedPartition& partition : partitions)
        add(*offsets, partition);
    return offsets;
}

/// The first failure among the answer's partitions, or that of the whole request.
rd_kafka_resp_err_t first_error(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t& offsets) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    for (int index = 0; index < offsets.cnt; ++index)
        if (offsets.elems[index].err != RD_KAFKA_RESP_ERR_NO_ERROR) return offsets.elems[index].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void log_failure(const char* what, rd_kafka_resp_err_t error,
                 const rd_kafka_topic_partition_list_t& offsets) {
    base::log::warning(what, {{"part", "kafka"},
                              {"reason", describe(error)},
                              {"topic", offsets.elems[0].topic},
                              {"partition", offsets.elems[0].partition},
                              {"offset", offsets.elems[0].offset},
                              {"partitions", offsets.cnt}});
}

/// Where commit_and_wait() waits for its answer.
struct Answer {
    bool arrived = false;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void on_answer(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets,
               void* opaque) {
    auto& answer = *static_cast<Answer*>(opaque);
    answer.arrived = true;
    answer.error = offsets != nullptr ? first_error(error, *offsets) : error;
}

} // namespace

void OffsetCommitter::commit(rd_kafka_t& client, const std::vector<AssignedPartition>& partitions) {
    const auto now = std::chrono::steady_clock::now();
    if (outstanding_ && now - sent_at_ < answer_patience) return;
    const PartitionListPtr offsets = offsets_to_commit(partitions);
    if (offsets->cnt == 0) return;
    const rd_kafka_resp_err_t error = rd_kafka_commit(&client, offsets.get(), 1);
    outstanding_ = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    sent_at_ = now;
    if (!outstanding_) report(error, *offsets);
}

void OffsetCommitter::commit_and_wait(rd_kafka_t& client, const std::vector<AssignedPartition>& partitions,
                                      std::chrono::milliseconds timeout) {
    const PartitionListPtr offsets = offsets_to_commit(partitions);
    if (offsets->cnt == 0) return;
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const QueuePtr answers(rd_kafka_queue_new(&client));
    Answer answer;
    answer.error = rd_kafka_commit_queue(&client, offsets.get(), answers.get(), on_answer, &answer);
    while (answer.error == RD_KAFKA_RESP_ERR_NO_ERROR && !answer.arrived) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) break;
        rd_kafka_queue_poll_callback(answers.get(), to_milliseconds(left));
    }
    if (!answer.arrived && answer.error == RD_KAFKA_RESP_ERR_NO_ERROR)
        answer.error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (answer.error == RD_KAFKA_RESP_ERR_NO_ERROR)
        metrics_.offset_commits.Increment();
    else
        log_failure(
            "the last offset commit of an assignment failed; the next owner of the partition reads again "
            "what it covered",
            answer.error, *offsets);
}

void OffsetCommitter::on_result(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* offsets,
                                PartitionSet& partitions) {
    outstanding_ = false;
    if (offsets == nullptr) return;
    for (int index = 0; index < offsets->cnt; ++index) {
        const rd_kafka_topic_partition_t& entry = offsets->elems[index];
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR || entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        AssignedPartition* const partition = partitions.find(entry.topic, entry.partition);
        if (partition != nullptr)
            partition->committed_offset = std::max(partition->committed_offset, entry.offset);
    }
    report(first_error(error, *offsets), *offsets);
}

void OffsetCommitter::report(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t& offsets) {
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        metrics_.offset_commits.Increment();
        if (failures_.clear()) base::log::info("offset commits succeed again", {{"part", "kafka"}});
    } else if (failures_.admits(error, std::chrono::steady_clock::now())) {
        log_failure("an offset commit failed; it is repeated with the next one", error, offsets);
    }
}

} // namespace docmap::kafka
