// The way out: id, signatures and head of a request, and its response read.
#include "bench/sample.hpp"
#include "core/delivery_id.hpp"
#include "core/request_head.hpp"
#include "core/response_parser.hpp"
#include "core/signature.hpp"

#include <array>
#include <benchmark/benchmark.h>
#include <chrono>
#include <string>
#include <string_view>

namespace docmap::bench {
namespace {

constexpr base::SystemTime start{std::chrono::milliseconds{1737383403512}};

core::EventPtr sample_event() {
    core::EventDecoder decoder(max_event_bytes);
    return event(decoder, record(0));
}

void delivery_id(benchmark::State& state) {
    const core::EventPtr source = sample_event();
    const core::WebhookPtr target = webhook();
    base::SystemTime now = start;
    for (auto _ : state) {
        benchmark::DoNotOptimize(core::make_delivery_id(now, *source, target->id, 1));
        now += std::chrono::milliseconds{1};
    }
}
BENCHMARK(delivery_id);

/// Both signatures of so many requests, computed together. Time per request: divide by their number.
void signatures(benchmark::State& state) {
    const core::SigningKeys keys(webhook()->secret);
    core::SignatureBatch batch;
    std::array<char, core::SignatureBatch::docmap_size> docmap{};
    std::array<char, core::SignatureBatch::standard_size> standard{};
    for (auto _ : state) {
        for (auto request = state.range(0); request > 0; --request) {
            batch.add_docmap(keys, body(), docmap);
            batch.add_standard(keys, "evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC", "1737383403", body(), standard);
        }
        batch.sign();
        benchmark::DoNotOptimize(docmap);
        benchmark::DoNotOptimize(standard);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(signatures)->Arg(1)->Arg(4)->Arg(8);

/// The whole head, both signatures included.
void request_head(benchmark::State& state) {
    const core::EventPtr source = sample_event();
    const core::WebhookPtr target = webhook();
    const core::RequestHead head(*target);
    core::SignatureBatch signatures;
    const core::DeliveryId id = core::make_delivery_id(start, *source, target->id, 1);
    std::string text;
    for (auto _ : state) {
        head.write(text, *source, id, 1737383403, false, signatures);
        signatures.sign();
        benchmark::DoNotOptimize(text.data());
    }
}
BENCHMARK(request_head);

/// The first use of an endpoint: fixed text and prepared keys.
void request_head_construction(benchmark::State& state) {
    const core::WebhookPtr target = webhook();
    for (auto _ : state) {
        core::RequestHead head(*target);
        benchmark::DoNotOptimize(&head);
    }
}
BENCHMARK(request_head_construction);

/// A response fed in pieces of so many bytes.
void response_parsing(benchmark::State& state) {
    const auto piece = static_cast<std::size_t>(state.range(0));
    core::ResponseParser parser;
    for (auto _ : state) {
        parser.reset();
        for (std::string_view rest = response; !rest.empty();
             rest.remove_prefix(std::min(piece, rest.size())))
            parser.feed(rest.substr(0, piece));
        benchmark::DoNotOptimize(parser.status());
    }
}
BENCHMARK(response_parsing)->Arg(4096)->Arg(16);

} // namespace
} // namespace docmap::bench
