#include "store/database_health.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>

namespace docmap::store {

namespace {

constexpr const char* part = "postgres";
/// Connections may fail for different reasons in turn, such as while a server starts.
constexpr std::chrono::seconds least_time_between_reasons{10};

} // namespace

DatabaseHealth::DatabaseHealth(base::HealthBoard& board) : board_(board) {
    board_.expect(part, "connecting");
}

DatabaseHealth::Member DatabaseHealth::add(const std::string& group) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(Entry{group, false});
    return entries_.size() - 1;
}

void DatabaseHealth::up(Member member) {
    const std::lock_guard lock(mutex_);
    entries_[member].up = true;
    if (state_ == State::up || !all_groups_up()) return;
    state_ = State::up;
    logged_reason_.clear();
    board_.report(part, true);
    base::log::info("the database is ready", {{"part", part}});
}

void DatabaseHealth::down(Member member, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    entries_[member].up = false;
    if (all_groups_up()) return; // others do its work
    board_.report(part, false, reason);
    const auto now = std::chrono::steady_clock::now();
    const bool changed = state_ != State::down;
    state_ = State::down;
    if (!changed && (reason == logged_reason_ || now - logged_at_ < least_time_between_reasons)) return;
    logged_reason_ = reason;
    logged_at_ = now;
    base::log::error("the database is not ready", {{"part", part}, {"reason", reason}});
}

bool DatabaseHealth::all_groups_up() const {
    return std::all_of(entries_.begin(), entries_.end(), [this](const Entry& entry) {
        return std::any_of(entries_.begin(), entries_.end(),
                           [&](const Entry& other) { return other.up && other.group == entry.group; });
    });
}

} // namespace docmap::store
