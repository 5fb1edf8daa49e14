#include "async/task_group.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

namespace docmap::async {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

asio::awaitable<void> wait_for(asio::steady_timer& timer, int& ended) {
    co_await timer.async_wait(asio::use_awaitable);
    ++ended;
}

asio::awaitable<void> count(int& ended) {
    ++ended;
    co_return;
}

asio::awaitable<void> fail() {
    throw std::runtime_error("a task failed");
    co_return;
}

asio::awaitable<void> join_into(TaskGroup& group, base::SteadyTime deadline, bool& empty) {
    empty = co_await group.join(deadline);
}

TEST(TaskGroup, RunsTasksAfterTheCallThatStartsThem) {
    asio::io_context context;
    TaskGroup group(context.get_executor(), "test");
    int ended = 0;
    group.spawn(count(ended));
    group.spawn(count(ended));
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(group.running(), 2U);
    context.run();
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(group.running(), 0U);
}

TEST(TaskGroup, GoesOnWhenATaskThrows) {
    asio::io_context context;
    TaskGroup group(context.get_executor(), "test");
    int ended = 0;
    group.spawn(fail());
    group.spawn(count(ended));
    context.run();
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(group.running(), 0U);
}

TEST(TaskGroup, CancelsWhatTasksWaitFor) {
    asio::io_context context;
    TaskGroup group(context.get_executor(), "test");
    asio::steady_timer never(context, Clock::time_point::max());
    int ended = 0;
    for (int i = 0; i < 3; ++i)
        group.spawn(wait_for(never, ended));
    bool told = false;
    group.when_empty([&] { told = true; });
    context.poll();
    EXPECT_EQ(group.running(), 3U);
    EXPECT_FALSE(told);
    group.cancel();
    context.run();
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(group.running(), 0U);
    EXPECT_TRUE(told);
}

TEST(TaskGroup, TellsOfAnEmptyGroupOnce) {
    asio::io_context context;
    TaskGroup group(context.get_executor(), "test");
    int told = 0;
    group.when_empty([&] { ++told; });
    EXPECT_EQ(told, 0);
    context.run();
    EXPECT_EQ(told, 1);
    int ended = 0;
    group.spawn(count(ended));
    context.restart();
    context.run();
    EXPECT_EQ(told, 1);
}

TEST(TaskGroup, JoinsUntilTheLastTaskHasEnded) {
    asio::io_context context;
    TaskGroup group(context.get_executor(), "test");
    TaskGroup joiners(context.get_executor(), "joiners");
    asio::steady_timer first(context, 1ms);
    asio::steady_timer second(context, 5ms);
    int ended = 0;
    group.spawn(wait_for(first, ended));
    group.spawn(wait_for(second, ended));
    bool empty = false;
    joiners.spawn(join_into(group, Clock::now() + 1min, empty));
    const auto started = Clock::now();
    context.run();
    EXPECT_TRUE(empty);
    EXPECT_EQ(ended, 2);
    EXPECT_LT(Clock::now() - started, 30s);
}

TEST(TaskGroup, JoinsNoLongerThanTheDeadline) {
    asio::io_context context;
    TaskGroup group(context.get_executor(), "test");
    TaskGroup joiners(context.get_executor(), "joiners");
    asio::steady_timer never(context, Clock::time_point::max());
    int ended = 0;
    group.spawn(wait_for(never, ended));
    bool empty = true;
    joiners.spawn(join_into(group, Clock::now() + 5ms, empty));
    joiners.when_empty([&] { group.cancel(); });
    context.run();
    EXPECT_FALSE(empty);
    EXPECT_EQ(group.running(), 0U);
}

TEST(TaskGroupDeathTest, MustNotDieBeforeItsTasks) {
    EXPECT_DEATH(
        {
            asio::io_context context;
            asio::steady_timer never(context, Clock::time_point::max());
            int ended = 0;
            TaskGroup group(context.get_executor(), "test");
            group.spawn(wait_for(never, ended));
        },
        "a task group outlives its tasks");
}

} // namespace
} // namespace docmap::async
