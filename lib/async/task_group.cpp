#include "async/task_group.hpp"

#include "base/invariant.hpp"
#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <cstdint>
#include <exception>
#include <map>
#include <utility>
#include <vector>

namespace docmap::async {

namespace asio = boost::asio;

struct TaskGroup::State {
    std::string name;
    std::uint64_t last_id = 0;
    /// One signal per running task; node-based, because its slot is used from inside the task.
    std::map<std::uint64_t, asio::cancellation_signal> tasks;
    std::vector<asio::steady_timer*> joiners;
    std::vector<std::function<void()>> when_empty;
    bool cancelled = false;

    void report(const std::exception_ptr& exception) const {
        try {
            std::rethrow_exception(exception);
        } catch (const boost::system::system_error& error) {
            if (cancelled && error.code() == asio::error::operation_aborted) return;
            base::log::error("task ended by an exception", {{"group", name}, {"error", error.what()}});
        } catch (const std::exception& error) {
            base::log::error("task ended by an exception", {{"group", name}, {"error", error.what()}});
        } catch (...) {
            base::log::error("task ended by an exception",
                             {{"group", name}, {"error", "of an unknown type"}});
        }
    }

    void wake_if_empty(const asio::any_io_executor& executor) {
        if (!tasks.empty()) return;
        for (asio::steady_timer* joiner : joiners)
            joiner->cancel();
        for (auto& done : std::exchange(when_empty, {}))
            asio::post(executor, std::move(done));
    }
};

TaskGroup::TaskGroup(asio::any_io_executor executor, std::string name)
    : executor_(std::move(executor)), state_(std::make_shared<State>()) {
    state_->name = std::move(name);
}

TaskGroup::~TaskGroup() {
    base::require(state_->tasks.empty(), "a task group outlives its tasks");
}

void TaskGroup::spawn(asio::awaitable<void> task) {
    const std::uint64_t id = ++state_->last_id;
    asio::cancellation_signal& signal = state_->tasks[id];
    auto ended = [state = state_, executor = executor_, id](const std::exception_ptr& exception) {
        if (exception) state->report(exception);
        // Not at once: the coroutine's last steps may still use the signal.
        asio::post(executor, [state, executor, id] {
            state->tasks.erase(id);
            state->wake_if_empty(executor);
        });
    };
    asio::co_spawn(executor_, std::move(task), asio::bind_cancellation_slot(signal.slot(), std::move(ended)));
}

void TaskGroup::cancel() {
    state_->cancelled = true;
    std::vector<std::uint64_t> ids;
    for (const auto& [id, signal] : state_->tasks)
        ids.push_back(id);
    // Looked up one by one: a task may end inside `emit`.
    for (const std::uint64_t id : ids) {
        const auto task = state_->tasks.find(id);
        if (task != state_->tasks.end()) task->second.emit(asio::cancellation_type::terminal);
    }
}

asio::awaitable<bool> TaskGroup::join(base::SteadyTime deadline) {
    const std::shared_ptr<State> state = state_;
    asio::steady_timer timer(executor_, deadline);
    while (!state->tasks.empty() && base::SteadyTime::clock::now() < deadline) {
        state->joiners.push_back(&timer);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        std::erase(state->joiners, &timer);
    }
    co_return state->tasks.empty();
}

void TaskGroup::when_empty(std::function<void()> done) {
    state_->when_empty.push_back(std::move(done));
    state_->wake_if_empty(executor_);
}

std::size_t TaskGroup::running() const {
    return state_->tasks.size();
}

} // namespace docmap::async
