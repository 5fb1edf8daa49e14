#include "store/database.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>

namespace docmap::store {

namespace {

/// How often an idle connection is looked at, without a round trip: bounds how long a lost one goes unseen.
constexpr std::chrono::seconds idle_check_interval{1};
/// How often the watch looks within the longest time of a job.
constexpr int looks_per_job_time = 10;
/// How long running jobs may go on once the pool stops.
constexpr std::chrono::seconds stop_grace{2};

base::Error unavailable(const std::string& reason) {
    return {"database unavailable: " + reason};
}

} // namespace

Database::Database(const Settings& settings, DatabaseHealth& health)
    : max_queued_jobs_(settings.max_queued_jobs), max_job_time_(settings.max_job_time) {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, settings.connections); ++i) {
        Worker worker;
        worker.keeper = std::make_unique<ConnectionKeeper>(settings.parameters, health, settings.group);
        workers_.push_back(std::move(worker));
    }
}

Database::~Database() {
    stop();
}

void Database::start() {
    for (Worker& worker : workers_) {
        worker.running = true;
        worker.thread = std::thread([this, &worker] { work(worker); });
    }
    watch_ = std::thread([this] { watch(); });
}

void Database::stop() {
    {
        std::unique_lock lock(mutex_);
        stopping_ = true;
        job_ready_.notify_all();
        stopped_.notify_all();
        stopped_.wait_for(lock, stop_grace, [this] {
            return std::none_of(workers_.begin(), workers_.end(),
                                [](const Worker& worker) { return worker.running; });
        });
    }
    for (Worker& worker : workers_)
        worker.keeper->break_off();
    for (Worker& worker : workers_)
        if (worker.thread.joinable()) worker.thread.join();
    if (watch_.joinable()) watch_.join();
    fail_queued("shutting down");
}

void Database::submit(std::unique_ptr<Job> job) {
    std::string reason;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            reason = "shutting down";
        } else if (!unavailable_.empty()) {
            reason = unavailable_;
        } else if (queue_.size() >= max_queued_jobs_) {
            reason = std::to_string(queue_.size()) + " jobs are waiting already (postgres.max_queued_jobs)";
        } else {
            queue_.push_back(std::move(job));
            job_ready_.notify_one();
            return;
        }
    }
    job->fail(unavailable(reason));
}

void Database::work(Worker& worker) {
    while (!stopping()) {
        if (connect(worker)) run_jobs(worker);
    }
    const std::lock_guard lock(mutex_);
    worker.running = false;
    stopped_.notify_all();
}

void Database::watch() {
    std::unique_lock lock(mutex_);
    while (!stopped_.wait_for(lock, max_job_time_ / looks_per_job_time, [this] { return stopping_; })) {
        const std::vector<Worker*> hanging = overdue(base::SteadyTime::clock::now());
        lock.unlock();
        for (Worker* worker : hanging) {
            base::log::warning("database does not answer; the connection is given up",
                               {{"waited_ms", max_job_time_.count()}});
            worker->keeper->break_connection();
        }
        lock.lock();
    }
}

/// Those whose job hangs; each counts as busy anew. The caller holds the mutex.
std::vector<Database::Worker*> Database::overdue(base::SteadyTime now) {
    std::vector<Worker*> workers;
    for (Worker& worker : workers_) {
        if (worker.busy_since == base::SteadyTime::max() || now - worker.busy_since < max_job_time_) continue;
        worker.busy_since = now;
        workers.push_back(&worker);
    }
    return workers;
}

bool Database::connect(Worker& worker) {
    if (worker.keeper->open()) {
        const std::lock_guard lock(mutex_);
        ++connected_;
        unavailable_.clear();
        return true;
    }
    std::deque<std::unique_ptr<Job>> refused;
    {
        std::unique_lock lock(mutex_);
        if (connected_ == 0) {
            unavailable_ = worker.keeper->reason();
            refused.swap(queue_);
        }
    }
    for (const auto& job : refused)
        job->fail(unavailable(worker.keeper->reason()));
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, worker.keeper->pause(), [this] { return stopping_; });
    return false;
}

void Database::run_jobs(Worker& worker) {
    while (worker.keeper->current() != nullptr) {
        {
            std::unique_lock lock(mutex_);
            job_ready_.wait_for(lock, idle_check_interval, [this] { return stopping_ || !queue_.empty(); });
            if (stopping_) break;
        }
        // Looked at before a job is taken: a connection lost while idle costs no job.
        if (!worker.keeper->current()->alive()) {
            worker.keeper->lose("the server closed the connection");
            break;
        }
        std::unique_ptr<Job> job;
        {
            const std::lock_guard lock(mutex_);
            if (stopping_ || queue_.empty()) continue;
            job = std::move(queue_.front());
            queue_.pop_front();
            worker.busy_since = base::SteadyTime::clock::now();
        }
        run(worker, *job);
        const std::lock_guard lock(mutex_);
        worker.busy_since = base::SteadyTime::max();
    }
    const std::lock_guard lock(mutex_);
    --connected_;
}

void Database::run(Worker& worker, Job& job) {
    try {
        job.run(*worker.keeper->current());
        return;
    } catch (const std::exception& failure) {
        if (const auto lost = reason_of_loss(failure, *worker.keeper->current())) {
            worker.keeper->lose(*lost);
            job.fail(unavailable(*lost));
            return;
        }
        const std::string reason = describe(failure);
        base::log::error("database statement failed", {{"reason", reason}});
        job.fail({"database statement failed: " + reason});
    }
}

void Database::fail_queued(const std::string& reason) {
    std::deque<std::unique_ptr<Job>> refused;
    {
        const std::lock_guard lock(mutex_);
        refused.swap(queue_);
    }
    for (const auto& job : refused)
        job->fail(unavailable(reason));
}

bool Database::stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

} // namespace docmap::store
