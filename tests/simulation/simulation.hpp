// One simulated run: everything that a seed stands for, from the start of the first instance until all is
// quiet.
#pragma once

#include "simulation/mutation.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace docmap::simulation {

struct Outcome {
    std::string finding; ///< empty: everything held
    std::uint64_t steps = 0;
    std::size_t requests = 0;
};

/// `tracing` writes what happens to standard output. The same seed and mutation give the same run.
Outcome simulate(std::uint64_t seed, Mutation mutation, bool tracing);

} // namespace docmap::simulation
