#include "simulation/oracle.hpp"

#include <algorithm>
#include <utility>

namespace docmap::simulation {

namespace {

using namespace std::chrono_literals;

/// From the control thread's hearing of something to the shards' acting on it, at most.
constexpr auto hearing_time = 50ms;

} // namespace

Oracle::Oracle(World& world, const Scenario& scenario)
    : world_(world), scenario_(scenario), webhooks_(scenario.webhooks.size()),
      rejected_(scenario.events.size()), subscribers_(scenario.events.size()) {
    for (std::size_t event = 0; event < scenario.events.size(); ++event)
        for (std::size_t webhook = 0; webhook < scenario.webhooks.size(); ++webhook) {
            const core::Webhook& subscribed = *scenario.webhooks[webhook].webhook;
            if (scenario.events[event].valid && subscribed.user_id == scenario.events[event].user_id &&
                subscribed.events.contains(scenario.events[event].type))
                subscribers_[event].push_back(webhook);
        }
}

void Oracle::require(bool holds, const std::string& rule) {
    if (holds || failed()) return;
    finding_ = rule;
    world_.trace("FINDING " + rule);
}

std::string Oracle::describe(DeliveryKey key) const {
    const EventPlan& event = scenario_.events[key.event];
    const PartitionPlan& partition = scenario_.partitions[event.partition];
    return "event " + std::to_string(key.event) + " (" + partition.topic + "[" +
           std::to_string(partition.number) + "]) to webhook " +
           scenario_.webhooks[key.webhook].webhook->id.text();
}

void Oracle::on_webhook_created(std::size_t webhook, const std::set<std::uint64_t>& lives) {
    webhooks_[webhook].not_told = lives;
    if (lives.empty()) webhooks_[webhook].known_everywhere = world_.now();
}

void Oracle::on_told(std::size_t webhook, const LifePtr& life, bool removed) {
    Webhook& told = webhooks_[webhook];
    if (removed) told.told_removed.try_emplace(life->number, world_.now());
    if (told.not_told.erase(life->number) > 0 && told.not_told.empty()) told.known_everywhere = world_.now();
}

void Oracle::on_webhook_ended(std::size_t webhook) {
    if (!webhooks_[webhook].ended) webhooks_[webhook].ended = world_.now();
}

void Oracle::on_life_ended(const LifePtr& life) {
    for (Webhook& webhook : webhooks_) {
        webhook.in_flight.erase(life->number);
        if (webhook.not_told.erase(life->number) > 0 && webhook.not_told.empty())
            webhook.known_everywhere = world_.now();
    }
    in_flight_.erase(life->number);
}

void Oracle::on_assigned(const LifePtr& life, std::uint64_t assignment) {
    last_assignment_[life->number] = assignment;
}

void Oracle::on_lost(const LifePtr& life) {
    lost_up_to_[life->number] = last_assignment_[life->number];
}

void Oracle::on_revoked(const LifePtr& life, std::uint64_t assignment) {
    revoked_[life->number].try_emplace(assignment, world_.now());
}

bool Oracle::late(const LifePtr& life, core::AssignmentId assignment) const {
    const auto number = static_cast<std::uint64_t>(assignment);
    const auto revoked = revoked_.find(life->number);
    const auto lost = lost_up_to_.find(life->number);
    return !life->alive || (revoked != revoked_.end() && revoked->second.contains(number)) ||
           (lost != lost_up_to_.end() && number <= lost->second);
}

void Oracle::on_request(const Request& request) {
    ++requests_;
    Delivery& delivery = deliveries_[request.key];
    if (world_.tracing())
        world_.trace("request " + describe(request.key) + " attempt " +
                     std::to_string(request.origin.attempt) +
                     (request.origin.kind == Origin::Kind::queue ? " from the queue by " : " by ") +
                     request.life->name);
    check_not_known(request, delivery);
    check_not_repeated(request, delivery);
    check_schedule(request, delivery);
    check_bounds(request);
    check_rate(request);
    delivery.requests.push_back(request);
}

/// What was recorded when the instance took the delivery on is not sent again.
void Oracle::check_not_known(const Request& request, const Delivery& delivery) {
    const Origin& origin = request.origin;
    if (origin.kind == Origin::Kind::partition) {
        require(!delivery.first_recorded || *delivery.first_recorded >= origin.known_at,
                "sent again though it was recorded before the partition's records were compared: " +
                    describe(request.key));
        const auto& revoked = revoked_[request.life->number];
        const auto found = revoked.find(origin.assignment);
        require(found == revoked.end() ||
                    world_.now() <= std::max(found->second, request.life->last_frozen_until) + hearing_time,
                "an attempt began after its partition was revoked: " + describe(request.key));
        return;
    }
    for (const Stored& stored : delivery.stored)
        require(stored.attempt < origin.attempt || stored.at >= origin.known_at || delivery.late,
                "sent again though that attempt or a later one was recorded before it was claimed: " +
                    describe(request.key) + ", attempt " + std::to_string(origin.attempt));
}

/// One life sends what it took on once.
void Oracle::check_not_repeated(const Request& request, const Delivery& delivery) {
    for (const Request& earlier : delivery.requests) {
        if (earlier.life != request.life || earlier.origin.kind != request.origin.kind ||
            earlier.origin.attempt != request.origin.attempt)
            continue;
        if (delivery.late) continue;
        require(request.origin.kind == Origin::Kind::partition &&
                    earlier.origin.assignment != request.origin.assignment,
                "sent twice by one instance: " + describe(request.key) + ", attempt " +
                    std::to_string(request.origin.attempt));
    }
}

void Oracle::check_schedule(const Request& request, const Delivery& delivery) {
    const std::uint16_t attempt = request.origin.attempt;
    if (attempt == 1) return;
    const bool due = std::any_of(delivery.stored.begin(), delivery.stored.end(), [&](const Stored& stored) {
        return stored.attempt == attempt - 1 && stored.next_attempt_at &&
               *stored.next_attempt_at <= world_.wall_now();
    });
    require(due, "tried again too early: " + describe(request.key) + ", attempt " + std::to_string(attempt));
}

void Oracle::check_bounds(const Request& request) {
    Webhook& webhook = webhooks_[request.key.webhook];
    const auto told = webhook.told_removed.find(request.life->number);
    require(told == webhook.told_removed.end() ||
                world_.now() <= std::max(told->second, request.life->last_frozen_until) + hearing_time,
            "an attempt began after the instance was told that the webhook is gone: " +
                describe(request.key));
    require(++in_flight_[request.life->number] <= scenario_.config.delivery.max_in_flight,
            "delivery.max_in_flight exceeded by " + request.life->name);
    require(++webhook.in_flight[request.life->number] <= scenario_.config.delivery.max_in_flight_per_endpoint,
            "delivery.max_in_flight_per_endpoint exceeded: " + describe(request.key));
}

/// In any second at most the limit and a tenth of it (at least one). Who takes an endpoint over from an
/// instance that died or was silent starts anew.
void Oracle::check_rate(const Request& request) {
    Webhook& webhook = webhooks_[request.key.webhook];
    const auto rate = scenario_.webhooks[request.key.webhook].webhook->max_attempts_per_second;
    if (!rate) return;
    auto& last_second = webhook.last_second;
    while (!last_second.empty() && last_second.front().first <= world_.now() - 1s)
        last_second.pop_front();
    last_second.emplace_back(world_.now(), request.life);
    std::size_t allowed = *rate + std::max(1U, *rate / 10);
    for (std::size_t index = 1; index < last_second.size(); ++index)
        if (const LifePtr& before = last_second[index - 1].second;
            last_second[index].second != before &&
            (!before->alive || before->last_frozen_until > World::start))
            ++allowed;
    require(last_second.size() <= allowed, "max_attempts_per_second exceeded: " + describe(request.key) +
                                               ", " + std::to_string(last_second.size()) +
                                               " in a second of at most " + std::to_string(*rate));
}

void Oracle::on_request_ended(const Request& request, bool aborted) {
    if (!request.life->alive) return;
    --in_flight_[request.life->number];
    --webhooks_[request.key.webhook].in_flight[request.life->number];
    if (!aborted) return;
    // Cut off at a drain: it is not recorded, and may be sent again by whoever is next.
    auto& requests = deliveries_[request.key].requests;
    std::erase_if(requests, [&](const Request& begun) {
        return begun.life == request.life && begun.begun == request.begun;
    });
}

void Oracle::on_attempt_stored(DeliveryKey key, const core::AttemptRecord& attempt, const LifePtr& by) {
    if (world_.tracing())
        world_.trace("stored " + describe(key) + " attempt " + std::to_string(attempt.delivery.attempt) +
                     (attempt.success           ? ": success"
                      : attempt.next_attempt_at ? ": failed, to be tried again"
                                                : ": failed for good"));
    const auto& schedule = scenario_.config.delivery.retry_schedule;
    const std::size_t number = attempt.delivery.attempt;
    if (attempt.next_attempt_at) {
        require(!attempt.success && number <= schedule.size(),
                "a next try that nothing asks for: " + describe(key));
        if (number <= schedule.size())
            require(*attempt.next_attempt_at >=
                        attempt.started_at + attempt.duration + schedule[number - 1] * 8 / 10,
                    "a next try before its time: " + describe(key));
    } else {
        require(attempt.success || number > schedule.size() || attempt.http_status == 410,
                "given up before the schedule is used up: " + describe(key));
    }
    Delivery& delivery = deliveries_[key];
    if (!attempt.delivery.claim && late(by, attempt.delivery.event->record().assignment()))
        delivery.late = true;
    delivery.stored.push_back(
        {attempt.delivery.attempt, attempt.success, attempt.next_attempt_at, world_.now()});
    if (!delivery.first_recorded) delivery.first_recorded = world_.now();
}

void Oracle::on_queued(DeliveryKey key, std::uint16_t attempt, bool late) {
    if (world_.tracing()) world_.trace("queued " + describe(key) + " attempt " + std::to_string(attempt));
    Delivery& delivery = deliveries_[key];
    delivery.late = delivery.late || late;
    for (const Stored& stored : delivery.stored)
        require(attempt == 1 || stored.attempt < attempt, "its schedule begins anew: " + describe(key));
    if (!delivery.first_recorded) delivery.first_recorded = world_.now();
}

void Oracle::on_row_changed(DeliveryKey key, std::uint16_t from, std::uint16_t to) {
    require(from < to, "its schedule goes back from attempt " + std::to_string(from) + " to " +
                           std::to_string(to) + ": " + describe(key));
}

void Oracle::on_ended(DeliveryKey key) {
    require(webhooks_[key.webhook].ended.has_value(), "ended though its webhook is active: " + describe(key));
    Delivery& delivery = deliveries_[key];
    delivery.ended = true;
    // Nothing tells any more that it waited. An instance that has not heard of the webhook's end may send it.
    if (delivery.stored.empty()) delivery.first_recorded.reset();
}

void Oracle::on_rejected_stored(std::size_t event) {
    ++rejected_[event];
}

bool Oracle::owed(DeliveryKey key) const {
    const Webhook& webhook = webhooks_[key.webhook];
    return webhook.known_everywhere && *webhook.known_everywhere <= scenario_.events[key.event].at &&
           !webhook.ended;
}

void Oracle::on_committed(std::size_t event) {
    if (!scenario_.events[event].valid) {
        require(rejected_[event] > 0,
                "committed past a rejected record that is not stored: event " + std::to_string(event));
        return;
    }
    for (const std::size_t webhook : subscribers_[event]) {
        const DeliveryKey key{event, webhook};
        if (!owed(key)) continue;
        const auto found = deliveries_.find(key);
        require(found != deliveries_.end() && found->second.first_recorded,
                "committed past a delivery that is not recorded: " + describe(key));
    }
}

void Oracle::judge(const std::function<Rest(DeliveryKey)>& rest) {
    for (std::size_t event = 0; event < scenario_.events.size(); ++event) {
        require(rejected_[event] == (scenario_.events[event].valid ? 0 : 1),
                "event " + std::to_string(event) + " is in rejected_events " +
                    std::to_string(rejected_[event]) + " times");
        for (const std::size_t webhook : subscribers_[event]) {
            const DeliveryKey key{event, webhook};
            const Delivery& delivery = deliveries_[key];
            const Rest left = rest(key);
            require(!left.waits || left.may_wait,
                    "waits in the queue though it is due: " + describe(key) + ", " + left.how);
            const bool final =
                std::any_of(delivery.stored.begin(), delivery.stored.end(),
                            [](const Stored& stored) { return stored.success || !stored.next_attempt_at; });
            const bool over = final || left.waits || delivery.ended || webhooks_[webhook].ended;
            require(over || !owed(key), "lost: " + describe(key));
            require(over || !delivery.first_recorded, "its next try is lost: " + describe(key));
            std::set<std::uint16_t> numbers;
            for (const Stored& stored : delivery.stored)
                numbers.insert(stored.attempt);
            require(numbers.empty() || (*numbers.begin() == 1 && *numbers.rbegin() == numbers.size()),
                    "attempts with gaps in their numbers: " + describe(key));
        }
    }
}

} // namespace docmap::simulation
