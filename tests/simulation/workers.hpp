// Runs many seeds, in a process per core: a run that aborts or hangs takes down no more than itself.
#pragma once

#include "simulation/mutation.hpp"

#include <cstdint>

namespace docmap::simulation {

struct Batch {
    std::uint64_t first = 1;
    std::uint64_t seeds = 100;
    unsigned jobs = 1;
    Mutation mutation = Mutation::none;
    bool expects_finding = false; ///< stops at the first finding; fails where there is none
};

/// Shows progress on a terminal and what was found, with the command that replays it. Returns the exit code.
int run_batch(const Batch& batch, const char* program);

} // namespace docmap::simulation
