#include "store/connection_keeper.hpp"

#include "store/schema.hpp"

#include <algorithm>
#include <utility>

namespace docmap::store {

namespace {

constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds last_pause{2000};

} // namespace

ConnectionKeeper::ConnectionKeeper(base::Result<std::string> parameters, DatabaseHealth& health,
                                   const std::string& group)
    : parameters_(std::move(parameters)), health_(health), member_(health.add(group)) {}

bool ConnectionKeeper::open() {
    try {
        replace(std::make_unique<Connection>(parameters_.value()));
        const auto schema = check_schema(connection_->native());
        if (schema.has_value()) {
            pause_ = std::chrono::milliseconds{0};
            health_.up(member_);
            return true;
        }
        reason_ = schema.error().message;
    } catch (const std::exception& failure) {
        reason_ = describe(failure);
    }
    replace(nullptr);
    pause_ = std::clamp(pause_ * 2, first_pause, last_pause);
    health_.down(member_, reason_);
    return false;
}

void ConnectionKeeper::lose(const std::string& reason) {
    reason_ = reason;
    replace(nullptr);
    health_.down(member_, reason);
}

void ConnectionKeeper::break_connection() {
    const std::lock_guard lock(mutex_);
    if (connection_) connection_->break_off();
}

void ConnectionKeeper::break_off() {
    const std::lock_guard lock(mutex_);
    broken_off_ = true;
    if (connection_) connection_->break_off();
}

void ConnectionKeeper::replace(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    if (broken_off_ && connection) connection->break_off();
    connection_ = std::move(connection);
}

} // namespace docmap::store
