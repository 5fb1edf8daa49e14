#include "kafka/group_member.hpp"

#include "base/invariant.hpp"
#include "base/log.hpp"
#include "kafka/client_log.hpp"
#include "kafka/probe.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

namespace docmap::kafka {

namespace {

/// A property in milliseconds, as librdkafka will use it.
std::chrono::milliseconds duration_of(const rd_kafka_conf_t& configuration, const char* property) {
    std::array<char, 32> text{};
    std::size_t size = text.size();
    const bool known = rd_kafka_conf_get(&configuration, property, text.data(), &size) == RD_KAFKA_CONF_OK;
    base::require(known, "librdkafka knows its own properties");
    return std::chrono::milliseconds{std::strtoll(text.data(), nullptr, 10)};
}

} // namespace

GroupMember::GroupMember(MemberContext& context)
    : context_(context), reader_(context.requests.allowance,
                                 [this](AssignedPartition& partition, const rd_kafka_message_t& message) {
                                     on_partition_error(partition, message);
                                 }),
      pace_(context.config.read_linger), main_queue_filled_(context.requests.wakeup) {}

GroupMember::~GroupMember() = default;

base::Result<std::unique_ptr<GroupMember>> GroupMember::join(MemberContext& context,
                                                             const QueueLimits& limits) {
    base::Result<ConfigurationPtr> configuration = make_configuration(context.config, limits);
    if (!configuration) return configuration.error();
    std::unique_ptr<GroupMember> member(new GroupMember(context));
    rd_kafka_conf_t* conf = configuration->get();
    rd_kafka_conf_set_opaque(conf, member.get());
    rd_kafka_conf_set_log_cb(conf, write_client_log);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    member->fetch_pace_.attach(*conf);
    member->membership_watch_.emplace(duration_of(*conf, "session.timeout.ms"),
                                      duration_of(*conf, "heartbeat.interval.ms"));
    std::array<char, 512> why{};
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why.data(), why.size());
    if (client == nullptr)
        return base::Error{"kafka: librdkafka refuses its settings: " + std::string(why.data())};
    static_cast<void>(configuration->release()); // the client owns it now
    member->client_.reset(client);
    const base::Result<void> subscribed = member->subscribe();
    if (!subscribed) return subscribed.error();
    return member;
}

base::Result<void> GroupMember::subscribe() {
    assignments_.emplace(context_, health_, *client_);
    rd_kafka_poll_set_consumer(client_.get());
    main_queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    main_queue_filled_.attach(*main_queue_);
    const PartitionListPtr topics = make_partition_list(static_cast<int>(context_.config.topics.size()));
    for (const std::string& topic : context_.config.topics)
        rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_.get(), topics.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return base::Error{"kafka.topics: librdkafka refuses to subscribe: " + describe(error)};
    return {};
}

void GroupMember::turn() {
    context_.requests.wakeup.wait(time_to_sleep());
    more_to_read_ = false;
    serve_main_queue();
    const base::SteadyTime now = std::chrono::steady_clock::now();
    believe_in_membership(now);
    if (closing_) {
        serve_close(now);
        return;
    }
    assignments_->advance(now);
    const std::size_t records = read_records();
    if (now >= next_commit_) {
        next_commit_ = now + context_.config.commit_interval;
        assignments_->commit();
    }
    if (now >= next_tick_) {
        next_tick_ = now + tick_interval;
        reader_.look_everywhere(assignments_->partitions().all());
        if (records == 0) fetch_pace_.set(std::chrono::milliseconds{0}); // the next one need not wait
        check_topics(now);
        report_health(now);
    }
    if (records > 0) fetch_pace_.set(pace_.after_read(records, now));
}

void GroupMember::believe_in_membership(base::SteadyTime now) {
    const bool doubted = membership_watch_->in_doubt(now);
    if (const auto believed_until = membership_watch_->served(now))
        context_.membership.extend(*believed_until);
    else if (!doubted)
        base::log::warning(
            "this process stood still for most of its session; its partitions may be others' by "
            "now, so nothing of them begins until the group has had time to say so",
            {{"part", "kafka"}});
}

std::chrono::milliseconds GroupMember::time_to_sleep() const {
    if (more_to_read_) return std::chrono::milliseconds{0};
    base::SteadyTime next = std::min(next_tick_, next_commit_);
    if (const auto advance = assignments_->next_advance()) next = std::min(next, *advance);
    if (closing_) next = close_deadline_;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
    const auto longest =
        std::min<std::chrono::milliseconds>(tick_interval, membership_watch_->longest_wait());
    return std::clamp(left, std::chrono::milliseconds{0}, longest);
}

void GroupMember::serve_main_queue() {
    for (int served = 0; served < max_messages_per_turn; ++served) {
        const MessagePtr message(rd_kafka_consumer_poll(client_.get(), 0));
        if (!message) return;
        take_report(*message);
    }
    more_to_read_ = true;
}

std::size_t GroupMember::read_records() {
    if (context_.requests.stop_intake.load()) return 0;
    RecordReader::Turn turn = reader_.read(assignments_->partitions().all());
    if (turn.more) more_to_read_ = true;
    const std::size_t count = turn.records.size();
    hand_over(std::move(turn.records));
    return count;
}

void GroupMember::hand_over(std::vector<core::RecordPtr> records) {
    if (records.empty()) return;
    boost::asio::post(context_.control, [&sink = context_.sink, records = std::move(records)]() mutable {
        sink.on_records(std::move(records));
    });
}

void GroupMember::on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                               rd_kafka_topic_partition_list_t* listed, void* opaque) {
    auto& member = *static_cast<GroupMember*>(opaque);
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !member.closing_) {
        member.assignments_->on_assigned(*listed);
    } else if (what == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        member.assignments_->on_revoked(*listed, member.closing_ ? Assignments::Drain::not_at_all
                                                                 : Assignments::Drain::briefly);
    } else {
        if (!member.closing_)
            base::log::error("the rebalance failed", {{"part", "kafka"}, {"reason", describe(what)}});
        rd_kafka_assign(client, nullptr);
    }
    member.report_health(std::chrono::steady_clock::now());
}

void GroupMember::on_commit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets,
                            void* opaque) {
    static_cast<GroupMember*>(opaque)->assignments_->on_commit_result(error, offsets);
}

void GroupMember::on_error(rd_kafka_t*, int error, const char* reason, void* opaque) {
    auto& member = *static_cast<GroupMember*>(opaque);
    switch (error) {
    case RD_KAFKA_RESP_ERR__FATAL:
        member.on_fatal();
        break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        member.health_.on_all_brokers_down(reason);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__SSL:
        member.health_.on_authentication_failed(reason);
        break;
    default:
        // librdkafka logs it, and most are about one connection.
        member.health_.on_connection_failed(reason);
    }
    member.report_health(std::chrono::steady_clock::now());
}

int GroupMember::on_statistics(rd_kafka_t*, char* json, std::size_t length, void* opaque) {
    auto& member = *static_cast<GroupMember*>(opaque);
    const Statistics statistics = parse_statistics({json, length});
    if (statistics.broker_up) member.health_.on_broker_up();
    for (const PartitionProgress& stuck :
         member.progress_.observe(statistics.partitions, std::chrono::steady_clock::now()))
        base::log::error(
            "a partition holds records that cannot be read: it makes no progress. A batch may be "
            "damaged; look for errors of librdkafka above",
            {{"part", "kafka"},
             {"topic", stuck.topic},
             {"partition", stuck.partition},
             {"offset", stuck.next_offset},
             {"end_offset", stuck.end_offset}});
    return 0; // librdkafka frees the text
}

void GroupMember::take_report(const rd_kafka_message_t& message) {
    const char* topic = message.rkt != nullptr ? rd_kafka_topic_name(message.rkt) : nullptr;
    AssignedPartition* const partition =
        topic != nullptr ? assignments_->partitions().find(topic, message.partition) : nullptr;
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        // Records come by their partition's own queue. Should one come here, it must not be lost.
        if (partition != nullptr && !context_.requests.stop_intake.load())
            hand_over({reader_.take(*partition, message)});
    } else if (message.err == RD_KAFKA_RESP_ERR__FATAL) {
        on_fatal();
    } else if (partition != nullptr) {
        on_partition_error(*partition, message);
    } else if (topic != nullptr) {
        health_.set_topic_problem(topic, describe(message.err));
    } else {
        base::log::warning("the consumer group reports a problem",
                           {{"part", "kafka"}, {"reason", rd_kafka_message_errstr(&message)}});
        health_.on_group_problem(rd_kafka_message_errstr(&message));
    }
}

void GroupMember::on_partition_error(AssignedPartition& partition, const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
    if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        hold(partition, message);
        return;
    }
    // Shown until the next look at the topic finds it well again.
    if (message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        message.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        health_.set_topic_problem(partition.assignment->topic(), describe(message.err));
    if (!partition.errors.admits(message.err, std::chrono::steady_clock::now())) return;
    base::log::warning("a partition could not be read", {{"part", "kafka"},
                                                         {"topic", partition.assignment->topic()},
                                                         {"partition", partition.assignment->partition()},
                                                         {"reason", rd_kafka_message_errstr(&message)}});
}

void GroupMember::hold(AssignedPartition& partition, const rd_kafka_message_t& message) {
    const core::Assignment& held = *partition.assignment;
    std::int64_t low = -1;
    std::int64_t high = -1;
    rd_kafka_query_watermark_offsets(client_.get(), held.topic().c_str(), held.partition(), &low, &high,
                                     to_milliseconds(metadata_timeout));
    std::string reason = "topic " + held.topic() + " partition " + std::to_string(held.partition()) +
                         " is held back: offset " + std::to_string(message.offset) + " is out of range";
    if (low >= 0) reason += " (valid: " + std::to_string(low) + " to " + std::to_string(high) + ")";
    health_.hold_partition(held.topic(), held.partition(), reason);
    base::log::error(
        "an offset is out of range; the partition is held back. Stop every member of the group, set "
        "its offset with kafka-consumer-groups.sh --reset-offsets, and start again",
        {{"part", "kafka"},
         {"group", context_.config.group_id},
         {"topic", held.topic()},
         {"partition", held.partition()},
         {"offset", message.offset},
         {"lowest_offset", low},
         {"end_offset", high},
         {"reason", rd_kafka_message_errstr(&message)}});
    report_health(std::chrono::steady_clock::now());
}

void GroupMember::on_fatal() {
    if (std::exchange(fatal_reported_, true)) return;
    std::array<char, 512> why{};
    const rd_kafka_resp_err_t error = rd_kafka_fatal_error(client_.get(), why.data(), why.size());
    const std::string reason =
        "the Kafka consumer cannot go on: " + std::string(why.data()) + " (" + rd_kafka_err2name(error) + ")";
    health_.on_fatal(reason);
    report_health(std::chrono::steady_clock::now());
    boost::asio::post(context_.control, [on_fatal = context_.on_fatal, reason] { on_fatal(reason); });
}

void GroupMember::check_topics(base::SteadyTime now) {
    if (health_.topic_problems().empty() || now < next_topic_check_) return;
    next_topic_check_ = now + topic_check_interval;
    const std::map<std::string, std::string> troubled = health_.topic_problems();
    for (const auto& [topic, reason] : troubled) {
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
        const TopicState state = describe_topic(*client_, topic, metadata_timeout, error);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;
        if (state.problem.empty())
            health_.clear_topic_problem(topic);
        else
            health_.set_topic_problem(topic, state.problem);
    }
}

void GroupMember::report_health(base::SteadyTime now) {
    if (closing_) return;
    const Problem problem = health_.problem(now);
    const bool ready = problem.kind == ProblemKind::none;
    context_.board.report(health_part, ready, problem.text);
    if (std::exchange(reported_, problem.kind) == problem.kind) return;
    if (problem.kind == ProblemKind::fatal)
        base::log::error(problem.text, {{"part", "kafka"}});
    else if (ready)
        base::log::info("the Kafka consumer is ready", {{"part", "kafka"}});
    else
        base::log::warning("the Kafka consumer is not ready", {{"part", "kafka"}, {"reason", problem.text}});
}

void GroupMember::close() {
    closing_ = true;
    context_.board.report(health_part, false, "closing");
    close_deadline_ = std::chrono::steady_clock::now() + close_timeout;
    assignments_->answer_waiting();
    const ErrorPtr error(rd_kafka_consumer_close_queue(client_.get(), main_queue_.get()));
    if (error) { // after a fatal error nothing can be left in order
        base::log::warning("the consumer group could not be left in order",
                           {{"part", "kafka"}, {"reason", rd_kafka_error_string(error.get())}});
        close_deadline_ = {};
    }
}

void GroupMember::serve_close(base::SteadyTime now) {
    const bool left = rd_kafka_consumer_closed(client_.get()) != 0;
    if (!left && now < close_deadline_) return;
    if (!left && close_deadline_ != base::SteadyTime{})
        base::log::warning("the consumer group was not left in time", {{"part", "kafka"}});
    assignments_->abandon();
    closed_ = true;
}

} // namespace docmap::kafka
