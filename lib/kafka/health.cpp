#include "kafka/health.hpp"

namespace docmap::kafka {

std::string shorten_reason(const std::string& reason) {
    return reason.substr(0, reason.find(" (after "));
}

void Health::on_connection_failed(const std::string& reason) {
    connection_failure_ = shorten_reason(reason);
}

void Health::on_all_brokers_down(const std::string& reason) {
    brokers_down_ = shorten_reason(reason);
}

void Health::on_authentication_failed(const std::string& reason) {
    authentication_ = "authentication failed: " + shorten_reason(reason);
}

void Health::on_broker_up() {
    connection_failure_.clear();
    brokers_down_.clear();
    authentication_.clear();
}

void Health::on_joined() {
    on_broker_up();
    joined_ = true;
    joined_before_ = true;
    group_problem_.clear();
    start_problem_.clear();
}

void Health::on_left(base::SteadyTime now) {
    joined_ = false;
    left_at_ = now;
}

void Health::on_group_problem(const std::string& reason) {
    group_problem_ = shorten_reason(reason);
}

void Health::set_topic_problem(const std::string& topic, const std::string& reason) {
    topics_[topic] = reason;
}

void Health::hold_partition(const std::string& topic, std::int32_t partition, const std::string& reason) {
    held_partitions_[{topic, partition}] = reason;
}

void Health::forget_partition(const std::string& topic, std::int32_t partition) {
    held_partitions_.erase({topic, partition});
}

std::string Health::topics_line() const {
    std::string line;
    for (const auto& [topic, reason] : topics_)
        line += (line.empty() ? "topic " : "; topic ") + topic + ": " + reason;
    return line;
}

std::string Health::held_line() const {
    const std::size_t others = held_partitions_.size() - 1;
    const std::string& first = held_partitions_.begin()->second;
    return others == 0 ? first : first + " (and " + std::to_string(others) + " more)";
}

Problem Health::problem(base::SteadyTime now) const {
    if (!fatal_.empty()) return {ProblemKind::fatal, fatal_};
    if (!authentication_.empty()) return {ProblemKind::authentication, authentication_};
    if (!brokers_down_.empty()) {
        const std::string& why = connection_failure_.empty() ? brokers_down_ : connection_failure_;
        return {ProblemKind::brokers, "all brokers are down: " + why};
    }
    if (!topics_.empty()) return {ProblemKind::topic, topics_line()};
    if (!held_partitions_.empty()) return {ProblemKind::held_partition, held_line()};
    if (!start_problem_.empty()) return {ProblemKind::start, start_problem_};
    if (joined_) return {};
    if (!group_problem_.empty()) return {ProblemKind::group, group_problem_};
    if (!joined_before_) return {ProblemKind::joining, "joining the consumer group"};
    if (now - left_at_ <= rebalance_tolerance) return {};
    return {ProblemKind::rebalancing, "the consumer group is rebalancing"};
}

} // namespace docmap::kafka
