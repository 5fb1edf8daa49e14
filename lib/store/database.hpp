// A pool of threads with a connection to PostgreSQL each, and one bounded queue of jobs for all of them.
// Made and owned by the store. Any thread may submit; jobs run on the pool's threads. One more thread watches
// them: a server that hangs while its connections stand would hold them for ever. stop() fails what is
// queued, lets running jobs end for a moment, breaks off the rest and joins.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "store/connection.hpp"
#include "store/connection_keeper.hpp"
#include "store/database_health.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace docmap::store {

/// Work for a connection. Exactly one of run() (without a throw) and fail() ends it.
class Job {
  public:
    virtual ~Job() = default;

    /// Throws what libpqxx throws.
    virtual void run(Connection& connection) = 0;
    virtual void fail(const base::Error& error) = 0;
};

class Database {
  public:
    struct Settings {
        base::Result<std::string> parameters; ///< as made by connection_parameters()
        std::size_t connections = 1;
        std::size_t max_queued_jobs = 1024;
        std::string group; ///< names the pool in DatabaseHealth
        /// A job that runs for longer hangs: its connection is given up, and the job fails.
        std::chrono::milliseconds max_job_time{60'000};
    };

    Database(const Settings& settings, DatabaseHealth& health);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Starts the threads, which connect at once and keep trying. Call once.
    void start();

    /// Ends the threads. A job that was submitted has ended when this returns. May be called twice.
    void stop();

    /// Runs the job soon, or fails it: when the queue is full, while no connection can be had, and after
    /// stop(). It may fail inside the call. A job is never run twice.
    void submit(std::unique_ptr<Job> job);

  private:
    struct Worker {
        std::unique_ptr<ConnectionKeeper> keeper;
        std::thread thread;
        bool running = false;
        base::SteadyTime busy_since = base::SteadyTime::max(); ///< max: it waits for a job
    };

    void work(Worker& worker);
    void watch();
    std::vector<Worker*> overdue(base::SteadyTime now);
    bool connect(Worker& worker);
    void run_jobs(Worker& worker);
    void run(Worker& worker, Job& job);
    void fail_queued(const std::string& reason);
    bool stopping();

    std::size_t max_queued_jobs_;
    std::chrono::milliseconds max_job_time_;
    std::mutex mutex_;
    std::condition_variable job_ready_; ///< workers with a connection wait here; also woken by the stop
    std::condition_variable
        stopped_; ///< workers without one and the watch wait here, and stop() for their end
    std::deque<std::unique_ptr<Job>> queue_;
    std::string unavailable_; ///< not empty: no worker has a connection, for this reason
    std::size_t connected_ = 0;
    bool stopping_ = false;
    std::vector<Worker> workers_;
    std::thread watch_;
};

/// Runs `work(Connection&) -> T` on the pool and posts `done(base::Result<T>)` to `executor`, which is kept
/// busy until then. `work` must be harmless to repeat: after a lost connection its effect is unknown.
template<typename Work, typename Done>
void run_on(Database& database, boost::asio::any_io_executor executor, Work work, Done done) {
    using Value = std::invoke_result_t<Work&, Connection&>;
    class Posted final : public Job {
      public:
        Posted(boost::asio::any_io_executor where, Work what, Done then)
            : executor_(
                  boost::asio::prefer(std::move(where), boost::asio::execution::outstanding_work.tracked)),
              work_(std::move(what)), done_(std::move(then)) {}
        void run(Connection& connection) override {
            if constexpr (std::is_void_v<Value>) {
                work_(connection);
                finish({});
            } else {
                finish(work_(connection));
            }
        }
        void fail(const base::Error& error) override { finish(error); }

      private:
        void finish(base::Result<Value> result) {
            boost::asio::post(executor_, [done = std::move(done_), result = std::move(result)]() mutable {
                done(std::move(result));
            });
        }
        boost::asio::any_io_executor executor_;
        Work work_;
        Done done_;
    };
    database.submit(std::make_unique<Posted>(std::move(executor), std::move(work), std::move(done)));
}

} // namespace docmap::store
