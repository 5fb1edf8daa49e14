// What is broken at the moment, and the chances of single failures. They end with the scenario's faults.
#pragma once

#include "simulation/mutation.hpp"
#include "simulation/scenario.hpp"

namespace docmap::simulation {

struct Conditions {
    const Scenario& scenario;
    Mutation mutation = Mutation::none;
    base::SteadyTime database_back{};
    base::SteadyTime kafka_back{};

    bool database_away(base::SteadyTime now) const { return now < database_back; }
    bool kafka_away(base::SteadyTime now) const { return now < kafka_back; }
    Chances chances(base::SteadyTime now) const {
        return now < scenario.faults_end ? scenario.chances : Chances{};
    }
};

} // namespace docmap::simulation
