// The program `simulation`: runs many seeds, or one, and says what the oracle finds.
#include "base/log.hpp"
#include "simulation/simulation.hpp"
#include "simulation/workers.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>

namespace {

using namespace docmap::simulation;

constexpr int usage_error = 2;

constexpr char usage[] =
    "usage: simulation [--seeds N] [--first S] [--jobs J] [--mutation NAME] [--expect-finding]\n"
    "       simulation --seed S [--trace] [--mutation NAME]\n"
    "\n"
    "  --seeds N         runs the seeds from --first on (default 100), on every core\n"
    "  --first S         the first seed (default 1)\n"
    "  --jobs J          runs so many at once (default: one per core)\n"
    "  --seed S          runs this seed alone; --trace writes what happens in it\n"
    "  --mutation NAME   builds a defect in; see tests/simulation/mutation.hpp\n"
    "  --expect-finding  fails where no seed finds anything, and stops at the first that does\n";

struct Arguments {
    Batch batch;
    std::optional<std::uint64_t> seed;
    bool tracing = false;
};

template<typename Number>
bool read_number(const char* text, Number& number) {
    const char* const end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, number);
    return error == std::errc{} && stop == end;
}

bool read_value(std::string_view name, const char* value, Arguments& arguments) {
    if (name == "--seeds") return read_number(value, arguments.batch.seeds);
    if (name == "--first") return read_number(value, arguments.batch.first);
    if (name == "--jobs") return read_number(value, arguments.batch.jobs) && arguments.batch.jobs > 0;
    if (name == "--seed") return read_number(value, arguments.seed.emplace());
    if (name != "--mutation") return false;
    const std::optional<Mutation> mutation = parse_mutation(value);
    arguments.batch.mutation = mutation.value_or(Mutation::none);
    return mutation.has_value();
}

std::optional<Arguments> parse(int count, char** texts) {
    Arguments arguments;
    arguments.batch.jobs = std::max(1U, std::thread::hardware_concurrency());
    for (int index = 1; index < count; ++index) {
        const std::string_view name = texts[index];
        if (name == "--trace") {
            arguments.tracing = true;
        } else if (name == "--expect-finding") {
            arguments.batch.expects_finding = true;
        } else {
            if (index + 1 == count || !read_value(name, texts[index + 1], arguments)) return std::nullopt;
            ++index;
        }
    }
    return arguments;
}

int run_one(const Arguments& arguments) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0); // in step with the daemon's own log
    const Outcome outcome = simulate(*arguments.seed, arguments.batch.mutation, arguments.tracing);
    std::printf("seed %llu: %s (%llu steps, %zu requests)\n",
                static_cast<unsigned long long>(*arguments.seed),
                outcome.finding.empty() ? "everything held" : outcome.finding.c_str(),
                static_cast<unsigned long long>(outcome.steps), outcome.requests);
    return outcome.finding.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    const std::optional<Arguments> arguments = parse(argc, argv);
    if (!arguments) {
        std::fputs(usage, stderr);
        return usage_error;
    }
    // The daemon's own log is of use only where one run is looked at.
    docmap::base::log::configure(arguments->tracing ? docmap::base::log::Level::warning
                                                    : docmap::base::log::Level::error,
                                 docmap::base::log::Format::text);
    return arguments->seed ? run_one(*arguments) : run_batch(arguments->batch, argv[0]);
}
