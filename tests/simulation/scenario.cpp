#include "simulation/scenario.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace docmap::simulation {

namespace {

using namespace std::chrono_literals;

constexpr auto start = World::start;

config::Config make_config(Random random) {
    config::Config config;
    config.kafka.max_event_bytes = 2000;
    config.intake.max_events = static_cast<std::size_t>(random.pick({5, 20, 100, 1000}));
    config.intake.max_bytes = static_cast<std::size_t>(random.pick({4000, 40'000, 1'000'000}));
    config.intake.max_uncommitted_events = static_cast<std::size_t>(random.pick({10, 100, 100'000}));
    config.intake.subscription_cache_users = static_cast<std::size_t>(random.pick({1, 3, 1000}));
    config.delivery.max_in_flight = static_cast<std::size_t>(random.pick({2, 10, 200}));
    config.delivery.max_in_flight_per_endpoint = static_cast<std::size_t>(random.pick({1, 3, 16}));
    config.delivery.max_queued_per_endpoint = static_cast<std::size_t>(random.pick({1, 10, 1000}));
    config.delivery.breaker_failures = static_cast<std::size_t>(random.pick({1, 3, 5}));
    config.delivery.breaker_max_pause = random.pick({5000ms, 20'000ms, 60'000ms});
    config.delivery.max_wait = random.pick({200ms, 2000ms});
    config.delivery.record_batch_rows = static_cast<std::size_t>(random.pick({1, 5, 1000}));
    config.postgres.writer_connections = static_cast<std::size_t>(random.between(1, 3));
    config.queue.max_claimed_events = static_cast<std::size_t>(random.pick({2, 10, 200}));
    config.queue.max_claimed_bytes = static_cast<std::size_t>(random.pick({2000, 1'000'000}));
    config.delivery.retry_schedule.clear();
    for (auto tries = random.between(0, 4); tries > 0; --tries)
        config.delivery.retry_schedule.push_back(random.pick({1000ms, 5000ms, 30'000ms, 120'000ms}));
    return config;
}

std::vector<PartitionPlan> make_partitions(Random random) {
    std::vector<PartitionPlan> partitions;
    for (const char* topic : {"extraction.completed", "extraction.failed"}) {
        const auto count = static_cast<std::int32_t>(random.between(1, 3));
        for (std::int32_t number = 0; number < count; ++number)
            partitions.push_back({topic, number});
    }
    return partitions;
}

Behaviour any_trouble(Random& random) {
    return random.pick({Behaviour::slow, Behaviour::hang, Behaviour::refuse, Behaviour::error_500,
                        Behaviour::error_400, Behaviour::overloaded_429, Behaviour::overloaded_503,
                        Behaviour::reset_after_delivery, Behaviour::flapping});
}

WebhookPlan make_webhook(Random random, std::size_t number, std::string user_id,
                         std::chrono::nanoseconds length) {
    auto webhook = std::make_shared<core::Webhook>();
    webhook->id = core::WebhookId("w" + std::to_string(number));
    webhook->user_id = std::move(user_id);
    webhook->url = "https://" + webhook->id.text() + ".test/hook";
    webhook->parsed_url.origin.host = webhook->id.text() + ".test";
    webhook->parsed_url.target = "/hook";
    webhook->parsed_url.host_header = webhook->id.text() + ".test";
    webhook->events =
        random.chance(0.7)
            ? core::EventSet{core::EventType::extraction_completed, core::EventType::extraction_failed}
            : core::EventSet{
                  random.pick({core::EventType::extraction_completed, core::EventType::extraction_failed})};
    webhook->secret.text = std::string(64, 'a');
    if (random.chance(0.1)) webhook->max_attempts_per_second = random.pick({1U, 5U, 30U});
    WebhookPlan plan;
    plan.created = random.chance(0.85) ? start - 1h : start + random.between(0ns, length);
    if (random.chance(0.15)) plan.ends = std::max(plan.created, start) + random.between(1ns, length * 2);
    if (random.chance(0.4)) {
        base::SteadyTime time = start;
        for (auto phases = random.between(1, 3); phases > 0; --phases) {
            time += random.between(1s, length);
            plan.phases.push_back({time, random.chance(0.3) ? Behaviour::ok : any_trouble(random)});
        }
        if (random.chance(0.15)) plan.at_last = any_trouble(random);
        if (random.chance(0.05)) plan.at_last = Behaviour::gone_410;
    }
    plan.webhook = std::move(webhook);
    return plan;
}

std::string event_value(const EventPlan& event, std::size_t number, Random& random) {
    std::string value = R"({"event":")" + std::string(core::name_of(event.type)) + R"(","userId":")" +
                        event.user_id + R"(","extractionId":"x)" + std::to_string(number) + '"';
    if (random.chance(0.8)) value += R"(,"id":"e)" + std::to_string(number) + '"';
    if (random.chance(0.3)) value += R"(,"data":{"text":")" + std::string(random.below(400), 'd') + R"("})";
    return value + "}";
}

void spoil(EventPlan& event, Random& random) {
    event.valid = false;
    switch (random.below(4)) {
    case 0:
        event.value.reset();
        break;
    case 1:
        event.value = "not JSON " + std::to_string(random.below(1'000'000));
        break;
    case 2:
        event.value = R"({"event":"extraction.completed"})";
        break;
    default:
        *event.value += std::string(2000, ' ');
    }
}

std::vector<EventPlan> make_events(Random random, const Scenario& scenario, std::size_t users,
                                   std::chrono::nanoseconds length) {
    std::vector<EventPlan> events(static_cast<std::size_t>(random.between(20, 200)));
    const bool bursts = random.chance(0.5);
    for (EventPlan& event : events)
        event.at = start + (bursts ? length / 4 * random.between(0, 3) + random.between(0ns, 200ms)
                                   : random.between(0ns, length));
    std::sort(events.begin(), events.end(),
              [](const auto& left, const auto& right) { return left.at < right.at; });
    for (std::size_t number = 0; number < events.size(); ++number) {
        EventPlan& event = events[number];
        event.partition = random.below(scenario.partitions.size());
        if (random.chance(0.05)) event.offsets_skipped = random.between(1, 5);
        event.user_id = "u" + std::to_string(random.below(users));
        event.type = random.pick({core::EventType::extraction_completed, core::EventType::extraction_failed});
        event.value = event_value(event, number, random);
        if (random.chance(0.02)) spoil(event, random);
    }
    return events;
}

std::vector<Fault> make_faults(Random random, std::size_t instances, std::chrono::nanoseconds length) {
    std::vector<Fault> faults;
    for (auto count = random.between(0, 6); count > 0; --count) {
        Fault fault;
        fault.at = start + random.between(0ns, length);
        fault.kind = random.pick({FaultKind::kill, FaultKind::kill, FaultKind::kill, FaultKind::drain,
                                  FaultKind::freeze, FaultKind::database_away, FaultKind::kafka_away,
                                  FaultKind::listener_away, FaultKind::rebalance, FaultKind::rebalance});
        fault.instance = random.below(instances);
        fault.duration = random.chance(0.5) ? random.between(10ms, 5s) : random.between(1s, 60s);
        faults.push_back(fault);
    }
    std::sort(faults.begin(), faults.end(),
              [](const auto& left, const auto& right) { return left.at < right.at; });
    return faults;
}

Chances make_chances(Random random) {
    Chances chances;
    if (random.chance(0.5)) chances.database_fails = random.pick({0.01, 0.1});
    if (random.chance(0.5)) chances.database_answer_lost = random.pick({0.01, 0.1});
    if (random.chance(0.5)) chances.database_slow = random.pick({0.01, 0.1});
    if (random.chance(0.3)) chances.commit_fails = 0.2;
    return chances;
}

} // namespace

Scenario make_scenario(Random random) {
    Scenario scenario;
    scenario.config = make_config(random.split("config"));
    scenario.instances = static_cast<std::size_t>(random.between(1, 3));
    scenario.shards = static_cast<std::size_t>(random.between(1, 2));
    scenario.partitions = make_partitions(random.split("partitions"));
    const std::chrono::nanoseconds length = random.between(5s, 90s);
    const auto users = static_cast<std::size_t>(random.between(1, 8));
    std::size_t number = 0;
    for (std::size_t user = 0; user < users; ++user)
        for (auto count = random.between(0, 4); count > 0; --count, ++number)
            scenario.webhooks.push_back(
                make_webhook(random.split("webhook", number), number, "u" + std::to_string(user), length));
    scenario.events = make_events(random.split("events"), scenario, users, length);
    scenario.faults = make_faults(random.split("faults"), scenario.instances, length);
    scenario.chances = make_chances(random.split("chances"));
    scenario.faults_end = start + length;
    for (const Fault& fault : scenario.faults)
        scenario.faults_end = std::max(scenario.faults_end, fault.at + fault.duration);
    scenario.deadline = scenario.faults_end + 3h;
    return scenario;
}

} // namespace docmap::simulation
