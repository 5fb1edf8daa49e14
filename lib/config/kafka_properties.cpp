#include "config/kafka_properties.hpp"

#include <algorithm>
#include <array>

namespace docmap::config {
namespace {

struct Owned {
    std::string_view property;
    std::string_view way_out;
};

// Offsets are committed only once an event is settled; anything else would lose events.
constexpr std::string_view commits = "the daemon commits offsets itself; see kafka.commit_interval";

constexpr auto owned_properties = std::to_array<Owned>({
    {"bootstrap.servers", "use kafka.brokers"},
    {"metadata.broker.list", "use kafka.brokers"},
    {"group.id", "use kafka.group_id"},
    {"auto.offset.reset", "use kafka.start_from"},
    {"enable.auto.commit", commits},
    {"auto.commit.enable", commits},
    {"auto.commit.interval.ms", commits},
    {"enable.auto.offset.store", commits},
    {"statistics.interval.ms", "the daemon reads the statistics for /ready"},
});

} // namespace

std::optional<std::string> check_kafka_property(std::string_view property) {
    const auto owned = std::ranges::find(owned_properties, property, &Owned::property);
    if (owned == owned_properties.end()) return std::nullopt;
    return "cannot be set: " + std::string(owned->way_out);
}

} // namespace docmap::config
