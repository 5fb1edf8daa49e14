// How far a replay is, as text: a bar for a terminal, a plain line for anything else.
// Pure functions; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace docmap::core {

struct ReplayProgress {
    std::uint64_t done = 0;  ///< offsets behind it
    std::uint64_t total = 0; ///< offsets in all
    std::uint64_t queued = 0;
    std::uint64_t done_before = 0;        ///< of `done`, before this run: they say nothing of its speed
    std::chrono::milliseconds elapsed{0}; ///< of this run
};

/// `[#####-----]  50 %  5,000 of 10,000 records  4,000 queued  2,500/s  2 s left`, at most `columns` wide:
/// first the bar gets shorter, then the end is cut.
std::string progress_bar(const ReplayProgress& progress, std::size_t columns);

/// The same without the bar.
std::string progress_line(const ReplayProgress& progress);

} // namespace docmap::core
