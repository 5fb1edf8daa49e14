// Defects that can be built into a run, to show that the oracle finds them. They are injected at the
// simulated edges or by a decorator between two parts; the product's code knows nothing of them.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace docmap::simulation {

enum class Mutation {
    none,
    commit_before_record, ///< an attempt counts as stored when it is handed to the database
    forget_generation,    ///< a late completion of a revoked assignment counts for the new one
    drop_parked_row,      ///< a parked delivery counts as stored, but is not
    drop_next_try,        ///< an attempt is stored without its next try
    reset_schedule,       ///< a queue row is inserted although its attempt was recorded before
    unconditional_update, ///< a queue row changes whatever attempt it waits for
    ignore_lease,         ///< an instance that was taken for dead goes on with its claims
    skip_replay_guard,    ///< nothing recorded is known at an assignment
    lose_rejected_record, ///< a record that is no event is not kept
    commit_received       ///< what was received is committed, settled or not
};

inline constexpr std::array<std::pair<Mutation, std::string_view>, 10> mutation_names = {{
    {Mutation::commit_before_record, "commit_before_record"},
    {Mutation::forget_generation, "forget_generation"},
    {Mutation::drop_parked_row, "drop_parked_row"},
    {Mutation::drop_next_try, "drop_next_try"},
    {Mutation::reset_schedule, "reset_schedule"},
    {Mutation::unconditional_update, "unconditional_update"},
    {Mutation::ignore_lease, "ignore_lease"},
    {Mutation::skip_replay_guard, "skip_replay_guard"},
    {Mutation::lose_rejected_record, "lose_rejected_record"},
    {Mutation::commit_received, "commit_received"},
}};

inline std::optional<Mutation> parse_mutation(std::string_view name) {
    for (const auto& [mutation, known] : mutation_names)
        if (known == name) return mutation;
    return std::nullopt;
}

} // namespace docmap::simulation
