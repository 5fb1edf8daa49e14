// What must hold whatever happens outside: a broken invariant is a defect, and going on could lose events.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace docmap::base {

/// Aborts the process with one line on standard error where `condition` does not hold.
inline void require(bool condition, const char* rule) {
    if (condition) [[likely]]
        return;
    std::fprintf(stderr, "docmap-webhookd: internal error: broken rule: %s\n", rule);
    std::abort();
}

} // namespace docmap::base
