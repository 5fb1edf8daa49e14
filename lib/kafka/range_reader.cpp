#include "kafka/range_reader.hpp"

#include "core/assignment.hpp"
#include "kafka/client_log.hpp"
#include "kafka/health.hpp"
#include "kafka/probe.hpp"
#include "kafka/properties.hpp"
#include "kafka/record_maker.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace docmap::kafka {

namespace {

using namespace std::chrono_literals;

/// For one question to a broker that was answering a moment ago.
constexpr auto requery_timeout = 10s;

class Deadline {
  public:
    explicit Deadline(std::chrono::milliseconds timeout) : end_(std::chrono::steady_clock::now() + timeout) {}
    int left_milliseconds() const {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
        return to_milliseconds(std::max(left, 1ms));
    }

  private:
    std::chrono::steady_clock::time_point end_;
};

std::string name_of(const std::string& topic, std::int32_t partition) {
    return topic + "[" + std::to_string(partition) + "]";
}

PartitionListPtr list_of(const std::vector<PartitionRange>& ranges, bool open_only) {
    PartitionListPtr list = make_partition_list(static_cast<int>(ranges.size()));
    for (const PartitionRange& range : ranges)
        if (!open_only || !range.finished())
            rd_kafka_topic_partition_list_add(list.get(), range.topic.c_str(), range.partition)->offset =
                range.next;
    return list;
}

} // namespace

base::Result<std::unique_ptr<RangeReader>> RangeReader::open(const config::Kafka& config) {
    std::unique_ptr<RangeReader> reader(new RangeReader(config));
    const auto connected = reader->connect(1);
    if (!connected) return connected.error();
    return reader;
}

RangeReader::~RangeReader() = default;

base::Result<void> RangeReader::connect(std::size_t partitions) {
    base::Result<ConfigurationPtr> configuration = make_configuration(config_, queue_limits(partitions));
    if (!configuration) return configuration.error();
    std::array<char, 512> why{};
    // The end of a log is told by an event of its own: its last offsets may hold no record.
    if (rd_kafka_conf_set(configuration->get(), "enable.partition.eof", "true", why.data(), why.size()) !=
        RD_KAFKA_CONF_OK)
        return base::Error{"kafka: enable.partition.eof: " + std::string(why.data())};
    rd_kafka_conf_set_opaque(configuration->get(), this);
    rd_kafka_conf_set_error_cb(configuration->get(), on_error);
    rd_kafka_conf_set_log_cb(configuration->get(), write_client_log);
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration->get(), why.data(), why.size());
    if (client == nullptr)
        return base::Error{"kafka: librdkafka refuses its settings: " + std::string(why.data())};
    static_cast<void>(configuration->release()); // the client owns it now
    client_.reset(client);
    rd_kafka_poll_set_consumer(client);
    return {};
}

void RangeReader::on_error(rd_kafka_t*, int error, const char* reason, void* opaque) {
    // This one only counts the brokers; the reports before it say why.
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
    static_cast<RangeReader*>(opaque)->last_failure_ = shorten_reason(reason);
}

std::string RangeReader::why(rd_kafka_resp_err_t error) {
    rd_kafka_poll(client_.get(), 0);
    return describe(error) + (last_failure_.empty() ? "" : " (" + last_failure_ + ")");
}

base::Result<std::vector<PartitionBounds>> RangeReader::list_partitions(std::chrono::milliseconds timeout) {
    const Deadline deadline(timeout);
    std::vector<PartitionBounds> bounds;
    for (const std::string& topic : config_.topics) {
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
        const TopicState state =
            describe_topic(*client_, topic, std::chrono::milliseconds{deadline.left_milliseconds()}, error);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            return base::Error{"kafka.brokers: no broker of \"" + config_.brokers +
                               "\" answers: " + why(error)};
        if (!state.problem.empty()) return base::Error{"kafka.topics: \"" + topic + "\" " + state.problem};
        for (std::size_t partition = 0; partition < state.partitions; ++partition)
            bounds.push_back({topic, static_cast<std::int32_t>(partition), 0, 0, 0});
    }
    return bounds;
}

base::Result<std::vector<PartitionBounds>> RangeReader::find_bounds(std::chrono::milliseconds timeout) {
    const Deadline deadline(timeout);
    auto bounds = list_partitions(timeout);
    if (!bounds) return bounds.error();
    for (PartitionBounds& partition : *bounds) {
        const rd_kafka_resp_err_t error =
            rd_kafka_query_watermark_offsets(client_.get(), partition.topic.c_str(), partition.partition,
                                             &partition.low, &partition.high, deadline.left_milliseconds());
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            return base::Error{"the range of " + name_of(partition.topic, partition.partition) +
                               " cannot be read: " + why(error)};
    }
    const auto found = find_committed(*bounds, std::chrono::milliseconds{deadline.left_milliseconds()});
    if (!found) return found.error();
    return bounds;
}

base::Result<void> RangeReader::find_committed(std::vector<PartitionBounds>& bounds,
                                               std::chrono::milliseconds timeout) {
    const PartitionListPtr list = make_partition_list(static_cast<int>(bounds.size()));
    for (const PartitionBounds& partition : bounds)
        rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
    const rd_kafka_resp_err_t error = rd_kafka_committed(client_.get(), list.get(), to_milliseconds(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return base::Error{"the committed offsets of the group \"" + config_.group_id +
                           "\" cannot be read: " + why(error)};
    for (std::size_t index = 0; index < bounds.size(); ++index) {
        const rd_kafka_topic_partition_t& answer = list->elems[index];
        PartitionBounds& partition = bounds[index];
        if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return base::Error{"the committed offset of " + name_of(partition.topic, partition.partition) +
                               " cannot be read: " + why(answer.err)};
        partition.committed = answer.offset < 0 ? partition.low : answer.offset;
    }
    return {};
}

base::Result<std::vector<std::int64_t>> RangeReader::look_up(base::SystemTime time,
                                                             const std::vector<PartitionRange>& ranges,
                                                             std::chrono::milliseconds timeout) {
    const PartitionListPtr list = list_of(ranges, false);
    for (int index = 0; index < list->cnt; ++index)
        list->elems[index].offset = std::max<std::int64_t>(0, time.time_since_epoch().count());
    const rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(client_.get(), list.get(), to_milliseconds(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return base::Error{"offsets cannot be looked up by time: " + why(error)};
    std::vector<std::int64_t> offsets;
    for (int index = 0; index < list->cnt; ++index) {
        const rd_kafka_topic_partition_t& answer = list->elems[index];
        if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return base::Error{"the offset of a time in " + name_of(answer.topic, answer.partition) +
                               " cannot be read: " + why(answer.err)};
        offsets.push_back(answer.offset);
    }
    return offsets;
}

base::Result<bool> RangeReader::skip_to(base::SystemTime from, std::vector<PartitionRange>& ranges,
                                        std::chrono::milliseconds timeout) {
    const bool nothing_to_read =
        std::all_of(ranges.begin(), ranges.end(), [](const auto& range) { return range.finished(); });
    if (nothing_to_read) return true;
    const Deadline deadline(timeout);
    // Every record is younger than the epoch. A broker that finds none where there are some cannot look up by
    // time: its "none" about another time would mean nothing.
    const auto first = look_up(base::SystemTime{}, ranges, timeout);
    if (!first) return first.error();
    for (std::size_t index = 0; index < ranges.size(); ++index)
        if (!ranges[index].finished() && (*first)[index] < 0) return false;
    const auto offsets = look_up(from, ranges, std::chrono::milliseconds{deadline.left_milliseconds()});
    if (!offsets) return offsets.error();
    for (std::size_t index = 0; index < ranges.size(); ++index) {
        PartitionRange& range = ranges[index];
        const std::int64_t found = (*offsets)[index] < 0 ? range.end : (*offsets)[index];
        range.next = std::max(range.next, std::min(found, range.end));
    }
    return true;
}

base::Result<void> RangeReader::start(std::vector<PartitionRange> ranges,
                                      std::optional<base::SystemTime> to) {
    ranges_ = std::move(ranges);
    to_ = to;
    for (const PartitionRange& range : ranges_) {
        const auto topic = std::find(config_.topics.begin(), config_.topics.end(), range.topic);
        if (topic == config_.topics.end())
            return base::Error{"the topic \"" + range.topic +
                               "\" is not in kafka.topics: add it there, or start anew without it"};
        topics_.push_back(&*topic);
        if (!range.finished()) ++open_ranges_;
    }
    last_sign_of_life_ = std::chrono::steady_clock::now();
    if (finished()) return {};
    // How much librdkafka may fetch ahead is set for good when a client is made.
    client_.reset();
    const auto connected = connect(open_ranges_);
    if (!connected) return connected.error();
    return assign();
}

base::Result<void> RangeReader::assign() {
    const PartitionListPtr list = list_of(ranges_, true);
    const rd_kafka_resp_err_t error = rd_kafka_assign(client_.get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return base::Error{"the partitions cannot be read: " + why(error)};
    return {};
}

base::Result<std::vector<core::RecordPtr>> RangeReader::read(std::size_t max_records, std::size_t max_bytes,
                                                             std::chrono::milliseconds wait) {
    std::vector<core::RecordPtr> records;
    std::size_t bytes = 0;
    while (!finished() && records.size() < max_records && bytes < max_bytes) {
        const int timeout = records.empty() ? to_milliseconds(wait) : 0;
        const MessagePtr message(rd_kafka_consumer_poll(client_.get(), timeout));
        if (!message) break;
        const auto taken = take(*message, records, bytes);
        if (!taken) return taken.error();
    }
    const auto now = std::chrono::steady_clock::now();
    if (!records.empty() || finished()) last_sign_of_life_ = now;
    if (now - last_sign_of_life_ > patience_)
        return base::Error{"Kafka has sent nothing for " + std::to_string(patience_.count() / 1000) + " s" +
                           (last_failure_.empty() ? "" : ": " + last_failure_)};
    return records;
}

base::Result<void> RangeReader::take(const rd_kafka_message_t& message, std::vector<core::RecordPtr>& records,
                                     std::size_t& bytes) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_error(message);
    PartitionRange* const range = find(message);
    // What was fetched ahead of a range's end, or again after a new start, is not asked for.
    if (range == nullptr || range->finished() || message.offset < range->next) return {};
    if (message.offset >= range->end) {
        finish(*range);
        return {};
    }
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
    if (to_ && type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME && timestamp >= to_->time_since_epoch().count()) {
        finish(*range);
        return {};
    }
    const auto index = static_cast<std::size_t>(range - ranges_.data());
    const core::Assignment nobody(core::no_assignment, *topics_[index], range->partition, 0);
    records.push_back(make_record(message, nobody, 0));
    bytes += records.back()->budget_bytes();
    range->next = message.offset + 1;
    if (range->finished()) finish(*range);
    return {};
}

base::Result<void> RangeReader::take_error(const rd_kafka_message_t& message) {
    PartitionRange* const range = message.rkt != nullptr ? find(message) : nullptr;
    switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (range != nullptr && !range->finished()) finish(*range);
        return {};
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        if (range != nullptr && !range->finished()) return skip_dropped(*range);
        return {};
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
        return base::Error{
            "Kafka: " + (range != nullptr ? name_of(range->topic, range->partition) + ": " : "") +
            rd_kafka_message_errstr(&message)};
    default:
        // A broker that is away or a leader that moves: librdkafka goes on by itself.
        last_failure_ = shorten_reason(rd_kafka_message_errstr(&message));
        return {};
    }
}

/// Retention was faster than the reading.
base::Result<void> RangeReader::skip_dropped(PartitionRange& range) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        client_.get(), range.topic.c_str(), range.partition, &low, &high, to_milliseconds(requery_timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return base::Error{"the range of " + name_of(range.topic, range.partition) +
                           " cannot be read: " + why(error)};
    // Below the log's start they were dropped; behind its end they never come back.
    const std::int64_t next = high < range.next ? range.end : std::clamp(low, range.next, range.end);
    dropped_ += static_cast<std::uint64_t>(next - range.next);
    range.next = next;
    if (range.finished()) finish(range);
    return finished() ? base::Result<void>() : assign();
}

PartitionRange* RangeReader::find(const rd_kafka_message_t& message) {
    const std::string_view topic = rd_kafka_topic_name(message.rkt);
    const auto found = std::find_if(ranges_.begin(), ranges_.end(), [&](const PartitionRange& range) {
        return range.partition == message.partition && range.topic == topic;
    });
    return found == ranges_.end() ? nullptr : &*found;
}

/// Fetching ends for this partition; the others go on.
void RangeReader::finish(PartitionRange& range) {
    range.next = range.end;
    --open_ranges_;
    const PartitionListPtr list = make_partition_list(1);
    rd_kafka_topic_partition_list_add(list.get(), range.topic.c_str(), range.partition);
    rd_kafka_pause_partitions(client_.get(), list.get());
}

} // namespace docmap::kafka
