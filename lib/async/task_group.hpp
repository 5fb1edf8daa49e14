// Owns coroutines: starts them, counts them, cancels them, reports the exception that leaves one, and tells
// when the last has ended. Lives on one thread, that of its executor: every call is made there. Whoever owns
// what the coroutines use owns the group, and destroys it only after the last one has ended.
#pragma once

#include "base/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace docmap::async {

class TaskGroup {
  public:
    /// `name` says in the log whose task failed.
    TaskGroup(boost::asio::any_io_executor executor, std::string name);
    /// Aborts the process where a task still runs.
    ~TaskGroup();

    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts a task; its first step runs after this call. An exception that leaves it is logged as an error.
    void spawn(boost::asio::awaitable<void> task);

    /// Asks every running task to end (terminal cancellation): what it awaits is cut off, the next `co_await`
    /// throws `operation_aborted`.
    void cancel();

    /// Waits until no task runs, at most until `deadline`. True where none runs any more. The caller must not
    /// be a task of this group.
    boost::asio::awaitable<bool> join(base::SteadyTime deadline);

    /// Runs `done` once, as soon as no task runs, never inside this call. `done` may destroy the group.
    void when_empty(std::function<void()> done);

    /// Tasks that have not ended.
    std::size_t running() const;

  private:
    struct State;

    boost::asio::any_io_executor executor_;
    std::shared_ptr<State>
        state_; ///< shared with the end of each task, which may outlast the group's last use
};

} // namespace docmap::async
