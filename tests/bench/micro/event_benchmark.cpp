// The way in: a record copied and decoded, its user's webhooks found, its offset accounted for.
#include "bench/sample.hpp"
#include "core/offset_ledger.hpp"
#include "core/subscription_cache.hpp"

#include <benchmark/benchmark.h>
#include <random>
#include <string>
#include <vector>

namespace docmap::bench {
namespace {

void record_copy(benchmark::State& state) {
    std::uint64_t sequence = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(record(sequence++));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body_bytes));
}
BENCHMARK(record_copy);

void event_decoding(benchmark::State& state) {
    core::EventDecoder decoder(max_event_bytes);
    const core::RecordPtr from = record(0);
    for (auto _ : state)
        benchmark::DoNotOptimize(event(decoder, from));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body_bytes));
}
BENCHMARK(event_decoding);

/// A lookup in a full cache of so many users, in random order.
void subscription_lookup(benchmark::State& state) {
    const auto users = static_cast<std::size_t>(state.range(0));
    core::SubscriptionCache cache(users);
    std::vector<std::string> names;
    for (std::size_t user = 0; user < users; ++user) {
        names.push_back("user-" + std::to_string(1000000 + user));
        cache.insert(names.back(), {webhook()});
    }
    std::minstd_rand random(1);
    for (auto _ : state)
        benchmark::DoNotOptimize(cache.find(names[random() % users]));
}
BENCHMARK(subscription_lookup)->Arg(10)->Arg(10'000)->Arg(100'000);

/// One record received, expected and settled, while so many records are open above the settled prefix.
void ledger_settlement(benchmark::State& state) {
    const auto open = static_cast<std::uint64_t>(state.range(0));
    core::OffsetLedger ledger;
    std::uint64_t received = 0;
    const auto receive = [&] {
        ledger.receive(received, static_cast<std::int64_t>(received));
        ledger.expect(received, 1);
        ++received;
    };
    while (received < open)
        receive();
    std::uint64_t settled = 0;
    for (auto _ : state) {
        receive();
        benchmark::DoNotOptimize(ledger.settle_one(settled++));
    }
}
BENCHMARK(ledger_settlement)->Arg(64)->Arg(50'000);

} // namespace
} // namespace docmap::bench
