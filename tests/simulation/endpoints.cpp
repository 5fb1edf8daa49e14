#include "simulation/endpoints.hpp"

#include "core/verdict.hpp"

#include <utility>

namespace docmap::simulation {

using namespace std::chrono_literals;

SimTransport::SimTransport(StoreContext& context, SimQueue& queue, Thread& thread,
                           ports::ExchangeListener& listener, std::size_t shard)
    : world_(context.world), context_(context), queue_(queue), thread_(thread), listener_(listener),
      random_(world_.random("transport", context.life->number * 100 + shard)) {}

void SimTransport::start(ports::Exchange& exchange) {
    // The host is the webhook's id and `.test`.
    const std::size_t webhook =
        *context_.database.find_webhook(exchange.origin->host.substr(0, exchange.origin->host.find('.')));
    Request request{context_.life, context_.origins.at(exchange.body.data()), {}, world_.now()};
    Origin& origin = request.origin;
    request.key = {origin.event, webhook};
    if (origin.kind == Origin::Kind::partition) {
        origin.known_at = context_.guard_times[context_.scenario.events[origin.event].partition];
    } else {
        context_.oracle.require(origin.webhook == webhook, "a queued delivery went to another webhook");
        context_.oracle.require(
            context_.database.owns(queue_.name(), webhook, exchange.deadline - world_.now()),
            "an attempt began that may outlast the claim: " + context_.life->name + ", " +
                context_.oracle.describe(request.key));
    }
    context_.oracle.on_request(request);
    const Answer answer =
        draw(context_.scenario.webhooks[webhook].behaviour(world_.now()), exchange.deadline - world_.now());
    const std::uint64_t number = ++started_;
    under_way_.emplace(number, UnderWay{&exchange, std::move(request)});
    world_.after(answer.after, [this, number, result = answer.result, mailbox = thread_.mailbox()] {
        mailbox.post([this, number, result] { end(number, result); });
    });
}

SimTransport::Answer SimTransport::draw(Behaviour behaviour, std::chrono::nanoseconds timeout) {
    Answer answer;
    answer.after = random_.between(1ms, 80ms);
    const auto overloaded = [&](std::uint16_t status) {
        answer.result.http_status = status;
        if (random_.chance(0.5)) answer.result.retry_after = std::to_string(random_.between(0, 20));
    };
    switch (behaviour) {
    case Behaviour::ok:
        answer.result.http_status = 200;
        break;
    case Behaviour::slow:
        answer.after = random_.between(500ms, 11s);
        answer.result.http_status = 204;
        break;
    case Behaviour::hang:
        answer.after = timeout;
        break;
    case Behaviour::refuse:
        answer.after = random_.between(100us, 2ms);
        answer.result.error = "Connection refused";
        break;
    case Behaviour::error_500:
        answer.result.http_status = 500;
        break;
    case Behaviour::error_400:
        answer.result.http_status = 400;
        break;
    case Behaviour::overloaded_429:
        overloaded(429);
        break;
    case Behaviour::overloaded_503:
        overloaded(503);
        break;
    case Behaviour::gone_410:
        answer.result.http_status = 410;
        break;
    case Behaviour::reset_after_delivery:
        answer.result.error = "Connection reset by peer";
        break;
    case Behaviour::flapping:
        return draw(
            random_.pick({Behaviour::ok, Behaviour::ok, Behaviour::slow, Behaviour::hang, Behaviour::refuse,
                          Behaviour::error_500, Behaviour::error_400, Behaviour::overloaded_503}),
            timeout);
    }
    if (answer.after >= timeout) {
        answer.after = timeout;
        answer.result = {};
        answer.result.error = core::timeout_error;
    }
    return answer;
}

void SimTransport::end(std::uint64_t number, const ports::ExchangeResult& result) {
    const auto found = under_way_.find(number);
    if (found == under_way_.end()) return; // cut off
    const UnderWay ended = std::move(found->second);
    under_way_.erase(found);
    context_.oracle.on_request_ended(ended.request, result.aborted);
    ended.exchange->result = result;
    ended.exchange->end_time = thread_.now();
    listener_.on_exchange_done(*ended.exchange);
}

void SimTransport::abort_all() {
    ports::ExchangeResult aborted;
    aborted.aborted = true;
    while (!under_way_.empty())
        end(under_way_.begin()->first, aborted);
}

} // namespace docmap::simulation
