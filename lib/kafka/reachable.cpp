#include "kafka/reachable.hpp"

#include "kafka/probe.hpp"
#include "kafka/properties.hpp"

namespace docmap::kafka {

std::vector<std::string> find_problems(const config::Kafka& config, std::chrono::milliseconds timeout) {
    std::vector<std::string> problems;
    for (const base::Error& error : validate_properties(config))
        problems.push_back(error.message);
    if (!problems.empty()) return problems;
    const base::Result<std::unique_ptr<Probe>> probe = Probe::open(config);
    if (!probe) return {probe.error().message};
    const ClusterState cluster = (*probe)->look(timeout);
    if (!cluster.problem.empty()) problems.push_back("kafka.brokers: " + cluster.problem);
    for (const TopicState& topic : cluster.topics)
        if (!topic.problem.empty())
            problems.push_back("kafka.topics: \"" + topic.name + "\" " + topic.problem);
    return problems;
}

} // namespace docmap::kafka
