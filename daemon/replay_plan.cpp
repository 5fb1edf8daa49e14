#include "daemon/replay_plan.hpp"

#include <algorithm>
#include <chrono>

namespace docmap::daemon {

namespace {

using namespace std::chrono_literals;
using Bounds = std::vector<kafka::PartitionBounds>;

constexpr auto kafka_timeout = 30s;
constexpr auto settle_interval = 500ms;
/// Beyond an attempt's own time: for its record and for the commit.
constexpr auto settle_slack = 5s;

/// What of `[low, high)` is not settled.
std::uint64_t unsettled(const Bounds& bounds) {
    std::uint64_t sum = 0;
    for (const kafka::PartitionBounds& partition : bounds)
        sum += static_cast<std::uint64_t>(
            std::max<std::int64_t>(0, partition.high - std::max(partition.committed, partition.low)));
    return sum;
}

/// Asks again until what was there at first is settled, or the time is over.
base::Result<void> wait_until_settled(Bounds& bounds, kafka::RangeReader& reader,
                                      std::chrono::milliseconds longest, const Interrupt& interrupt) {
    const auto deadline = std::chrono::steady_clock::now() + longest;
    while (unsettled(bounds) > 0 && std::chrono::steady_clock::now() < deadline &&
           interrupt.sleep(settle_interval)) {
        const auto now = reader.find_bounds(kafka_timeout);
        if (!now) return now.error();
        for (kafka::PartitionBounds& partition : bounds) {
            const auto same = std::find_if(now->begin(), now->end(), [&](const auto& other) {
                return other.topic == partition.topic && other.partition == partition.partition;
            });
            if (same != now->end()) partition.committed = same->committed;
        }
    }
    return {};
}

} // namespace

base::Result<ReplayPlan> make_replay_plan(const config::Config& config, kafka::RangeReader& reader,
                                          const core::ReplaySelection& selection, bool daemon_is_alive,
                                          const Interrupt& interrupt, const Tell& tell) {
    auto bounds = reader.find_bounds(kafka_timeout);
    if (!bounds) return bounds.error();
    if (daemon_is_alive && unsettled(*bounds) > 0) {
        const auto longest = config.delivery.max_wait + config.delivery.timeout + settle_slack;
        tell("waiting up to " + std::to_string(longest.count() / 1000) + " s for running daemons to settle " +
             std::to_string(unsettled(*bounds)) + " records");
        const auto waited = wait_until_settled(*bounds, reader, longest, interrupt);
        if (!waited) return waited.error();
    }

    std::vector<kafka::PartitionRange> ranges;
    for (const kafka::PartitionBounds& partition : *bounds)
        ranges.push_back({partition.topic, partition.partition, partition.low,
                          std::min(partition.high, std::max(partition.committed, partition.low))});
    if (selection.from) {
        const auto supported = reader.skip_to(*selection.from, ranges, kafka_timeout);
        if (!supported) return supported.error();
        if (!*supported)
            tell("this broker cannot look up offsets by time: reading from the start and comparing the "
                 "records' "
                 "timestamps; the result is the same");
    }
    ReplayPlan plan;
    plan.unsettled = unsettled(*bounds);
    for (const kafka::PartitionRange& range : ranges)
        plan.positions.push_back({range.topic, range.partition, range.next, range.next, range.end});
    return plan;
}

} // namespace docmap::daemon
