#include "store/maintenance.hpp"

#include "base/log.hpp"
#include "store/day_partitions.hpp"
#include "store/failing_webhooks.hpp"
#include "store/schema.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace docmap::store {

namespace {

using namespace std::chrono_literals;

/// Any number that nothing else on the database locks; one above that of the migrations.
constexpr std::int64_t lock_key = 0x646F636D6171;

constexpr std::chrono::milliseconds longest_interval = 5min;
constexpr std::chrono::milliseconds shortest_interval = 5s;
/// After a round that failed.
constexpr std::chrono::milliseconds failure_interval = 10s;

/// A webhook is deactivated at most a tenth of the time late.
std::chrono::milliseconds interval_of(std::chrono::milliseconds deactivate_after) {
    return std::clamp(deactivate_after / 10, shortest_interval, longest_interval);
}

void prepare_session(pqxx::connection& connection) {
    pqxx::nontransaction autocommit(connection);
    autocommit.exec("SET statement_timeout = '10min'");
    // Whoever waits for a table's lock makes all that come after it wait too.
    autocommit.exec("SET lock_timeout = '2s'");
}

bool lock(pqxx::connection& connection) {
    pqxx::nontransaction autocommit(connection);
    return autocommit.exec("SELECT pg_try_advisory_lock(" + std::to_string(lock_key) + ")")[0][0].as<bool>();
}

void report(const PartitionChanges& changes) {
    for (const std::string& name : changes.made)
        base::log::info("partition of deliveries made", {{"partition", name}});
    for (const std::string& name : changes.dropped)
        base::log::info("partition of deliveries dropped by age", {{"partition", name}});
    if (changes.rows_moved > 0)
        base::log::info("deliveries moved out of the default partition", {{"rows", changes.rows_moved}});
    if (changes.rows_deleted > 0)
        base::log::info("deliveries deleted by age from the default partition",
                        {{"rows", changes.rows_deleted}});
}

} // namespace

Maintenance::Maintenance(Settings settings, base::Metrics& metrics)
    : settings_(std::move(settings)), metrics_(metrics) {}

Maintenance::~Maintenance() {
    stop();
}

void Maintenance::start() {
    thread_ = std::thread([this] { run(); });
}

void Maintenance::stop() {
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
        if (connection_ != nullptr) connection_->break_off();
        woken_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void Maintenance::run() {
    std::unique_lock guard(mutex_);
    while (!stopping_) {
        guard.unlock();
        const bool done = work();
        guard.lock();
        const auto pause = done ? interval_of(settings_.deactivate_after) : failure_interval;
        woken_.wait_for(guard, pause, [this] { return stopping_; });
    }
}

bool Maintenance::work() {
    try {
        run_once();
        logged_reason_.clear();
        return true;
    } catch (const std::exception& failure) {
        std::string reason = describe(failure);
        const std::lock_guard guard(mutex_);
        if (!stopping_ && reason != logged_reason_)
            base::log::warning("maintenance of the database failed; it is tried again", {{"reason", reason}});
        logged_reason_ = std::move(reason);
        return false;
    }
}

void Maintenance::run_once() {
    Connection connection(settings_.parameters.value());
    const auto use = [this](Connection* used) {
        const std::lock_guard guard(mutex_);
        connection_ = used;
        if (stopping_ && used != nullptr) used->break_off();
    };
    use(&connection);
    try {
        work_over(connection);
    } catch (...) {
        use(nullptr);
        throw;
    }
    use(nullptr);
}

void Maintenance::work_over(Connection& connection) {
    if (!check_schema(connection.native()).has_value()) return;
    prepare_session(connection.native());
    // Held until the connection closes.
    if (!lock(connection.native())) return;
    report(make_day_partitions(connection.native(), settings_.retention_days));
    report(drop_old_days(connection.native(), settings_.retention_days));
    for (const FailingWebhook& webhook : judge_failing_webhooks(connection, settings_.deactivate_after)) {
        metrics_.webhooks_deactivated.Increment();
        base::log::warning("webhook deactivated: it has done nothing but fail for too long",
                           {{"webhook_id", webhook.webhook_id},
                            {"user_id", webhook.user_id},
                            {"failing_since", webhook.failing_since}});
    }
}

} // namespace docmap::store
