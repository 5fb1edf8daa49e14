// What stands between the consumer and its records, gathered from librdkafka's reports, and the one line
// about it that `/ready` shows. Pure; lives on the Kafka thread, owned by the group member.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace docmap::kafka {

/// What kind of thing is wrong. A change of it is worth a line in the log.
enum class ProblemKind {
    none,
    joining,
    rebalancing,
    group,
    start,
    held_partition,
    topic,
    brokers,
    authentication,
    fatal
};

struct Problem {
    ProblemKind kind = ProblemKind::none;
    std::string text; ///< one readable line
};

class Health {
  public:
    /// A rebalance of this length or less is no reason to be not ready.
    static constexpr std::chrono::seconds rebalance_tolerance{10};

    /// A connection failed. By itself it says little: other brokers may serve. Kept as the reason for
    /// on_all_brokers_down().
    void on_connection_failed(const std::string& reason);
    void on_all_brokers_down(const std::string& reason);
    void on_authentication_failed(const std::string& reason);

    /// A broker answered: what the connections suffered from is over.
    void on_broker_up();

    void on_joined();
    void on_left(base::SteadyTime now);
    void on_group_problem(const std::string& reason);

    /// The start offsets of an assignment cannot be read at present.
    void set_start_problem(const std::string& reason) { start_problem_ = reason; }

    void set_topic_problem(const std::string& topic, const std::string& reason);
    void clear_topic_problem(const std::string& topic) { topics_.erase(topic); }
    const std::map<std::string, std::string>& topic_problems() const { return topics_; }

    void hold_partition(const std::string& topic, std::int32_t partition, const std::string& reason);
    void forget_partition(const std::string& topic, std::int32_t partition);

    void on_fatal(const std::string& reason) { fatal_ = reason; }

    /// The gravest problem; none when the consumer is ready.
    Problem problem(base::SteadyTime now) const;

  private:
    std::string topics_line() const;
    std::string held_line() const;

    std::string connection_failure_;
    std::string brokers_down_; ///< librdkafka's count of them; empty when not all are down
    std::string authentication_;
    std::string group_problem_;
    std::string start_problem_;
    std::string fatal_;
    std::map<std::string, std::string> topics_;
    std::map<std::pair<std::string, std::int32_t>, std::string> held_partitions_;
    bool joined_ = false;
    bool joined_before_ = false;
    base::SteadyTime left_at_{};
};

/// librdkafka's report without what only repeats: `(after 0ms in state CONNECT, 3 identical …)`.
std::string shorten_reason(const std::string& reason);

} // namespace docmap::kafka
