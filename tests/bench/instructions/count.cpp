// A fixed small run of the pure parts that every delivery passes, for valgrind's callgrind: the instructions
// of each part are dumped under its name. tests/run instructions compares them with limits.json.
#include "bench/sample.hpp"
#include "core/delivery_id.hpp"
#include "core/event_decoder.hpp"
#include "core/offset_ledger.hpp"
#include "core/request_head.hpp"
#include "core/response_parser.hpp"
#include "core/signature.hpp"
#include "core/subscription_cache.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <valgrind/callgrind.h>
#include <vector>

namespace {

using namespace docmap;

constexpr std::uint64_t events = 2000;
constexpr std::uint64_t users = 1000;
/// What is signed: short, so that our own share is not lost in the library's, which grows with the body.
constexpr std::string_view signed_body = R"({"status":"ok"})";
constexpr std::string_view event_id = "evt_01JH2Q8Z6V3K9W5T7N1M4R0XYC";
constexpr std::int64_t unix_seconds = 1737383403;
/// How far the ledger lets records be settled out of order.
constexpr std::uint64_t out_of_order = 64;

/// Runs a part for every event. The first round, which fills caches and grows buffers, does not count.
template<typename Part>
void count(const char* name, Part&& part) {
    for (std::uint64_t i = 0; i < events; ++i)
        part(i);
    CALLGRIND_ZERO_STATS;
    for (std::uint64_t i = 0; i < events; ++i)
        part(events + i);
    CALLGRIND_DUMP_STATS_AT(name);
}

/// Ends the program where a part does not do its work: its count would mean nothing.
void expect(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "bench-instructions: %s\n", what);
    std::exit(1);
}

void count_decode() {
    core::EventDecoder decoder(bench::max_event_bytes);
    count("decode", [&](std::uint64_t i) {
        expect(bench::event(decoder, bench::record(i))->user_id() == "user-000042", "decode");
    });
}

void count_sign() {
    const core::SigningKeys keys(bench::webhook()->secret);
    core::SignatureBatch signatures;
    std::array<char, core::SignatureBatch::docmap_size> docmap{};
    std::array<char, core::SignatureBatch::standard_size> standard{};
    count("sign", [&](std::uint64_t) {
        signatures.add_docmap(keys, signed_body, docmap);
        signatures.add_standard(keys, event_id, std::to_string(unix_seconds), signed_body, standard);
        signatures.sign();
        expect(docmap[6] == '=' && standard[2] == ',', "sign");
    });
}

/// A delivery's id and its head. The signatures are in it; tests/run instructions takes them off.
void count_head() {
    const core::EventPtr event = test::make_event({.value = signed_body}, event_id);
    const core::WebhookPtr webhook = bench::webhook();
    const core::RequestHead head(*webhook);
    core::SignatureBatch signatures;
    const base::SystemTime start{std::chrono::milliseconds{1737383403512}};
    std::string text;
    count("head", [&](std::uint64_t i) {
        const auto now = start + std::chrono::milliseconds(i);
        const core::DeliveryId id = core::make_delivery_id(now, *event, webhook->id, 1);
        head.write(text, *event, id, unix_seconds, false, signatures);
        signatures.sign();
        expect(text.ends_with("\r\n\r\n"), "head");
    });
}

void count_parse() {
    core::ResponseParser parser;
    count("parse", [&](std::uint64_t) {
        parser.reset();
        parser.feed(bench::response);
        expect(parser.status() == 200 && parser.keep_alive(), "parse");
    });
}

void count_ledger() {
    core::OffsetLedger ledger;
    std::uint64_t received = 0;
    count("ledger", [&](std::uint64_t i) {
        // Groups of records are received together and settled from the last to the first.
        if (i % out_of_order == 0)
            for (std::uint64_t end = received + out_of_order; received < end; ++received) {
                ledger.receive(received, static_cast<std::int64_t>(received));
                ledger.expect(received, 1);
            }
        const std::uint64_t group = i / out_of_order * out_of_order;
        ledger.settle_one(group + out_of_order - 1 - i % out_of_order);
    });
    expect(ledger.unsettled() < out_of_order, "ledger");
}

void count_lookup() {
    core::SubscriptionCache cache(users);
    const core::WebhookPtr webhook = bench::webhook();
    std::vector<std::string> names;
    for (std::uint64_t user = 0; user < users; ++user) {
        names.push_back("user-" + std::to_string(100000 + user));
        cache.insert(names.back(), {webhook});
    }
    count("lookup", [&](std::uint64_t i) { expect(cache.find(names[i * 7 % users]) != nullptr, "lookup"); });
}

} // namespace

int main() {
    count_decode();
    count_sign();
    count_head();
    count_parse();
    count_ledger();
    count_lookup();
    std::printf("events %llu\n", static_cast<unsigned long long>(events));
}
