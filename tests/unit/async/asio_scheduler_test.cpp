#include "async/asio_scheduler.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include <thread>

namespace docmap::async {
namespace {

using namespace std::chrono_literals;

TEST(AsioScheduler, RunsPostedTasksInOrder) {
    boost::asio::io_context context(1);
    AsioScheduler scheduler(context);
    std::string ran;
    scheduler.post([&] {
        ran += 'a';
        scheduler.post([&] { ran += 'c'; });
    });
    scheduler.post([&] { ran += 'b'; });
    context.run();
    EXPECT_EQ(ran, "abc");
}

TEST(AsioScheduler, ATimerRunsAtItsTime) {
    boost::asio::io_context context(1);
    AsioScheduler scheduler(context);
    const auto due = scheduler.now() + 20ms;
    base::SteadyTime ran{};
    const auto timer = scheduler.make_timer([&] { ran = scheduler.now(); });
    timer->set(due);
    EXPECT_TRUE(timer->pending());
    context.run();
    EXPECT_GE(ran, due);
    EXPECT_FALSE(timer->pending());
}

TEST(AsioScheduler, SettingATimerAnewReplacesItsTime) {
    boost::asio::io_context context(1);
    AsioScheduler scheduler(context);
    int runs = 0;
    const auto timer = scheduler.make_timer([&] { ++runs; });
    timer->set(scheduler.now() + 1h);
    timer->set(scheduler.now());
    context.run();
    EXPECT_EQ(runs, 1);
}

TEST(AsioScheduler, ACancelledTimerDoesNotRunEvenIfItsHandlerIsQueued) {
    boost::asio::io_context context(1);
    AsioScheduler scheduler(context);
    int runs = 0;
    auto timer = scheduler.make_timer([&] { ++runs; });
    timer->set(scheduler.now());
    scheduler.post([&] { timer->cancel(); });
    context.run();
    EXPECT_EQ(runs, 0);
    context.restart();
    timer->set(scheduler.now());
    timer.reset();
    context.run();
    EXPECT_EQ(runs, 0);
}

TEST(AsioScheduler, TakesTasksFromOtherThreads) {
    boost::asio::io_context context(1);
    const auto work = boost::asio::make_work_guard(context);
    AsioScheduler scheduler(context);
    std::thread other([&] { scheduler.post([&] { context.stop(); }); });
    context.run();
    other.join();
    EXPECT_LE(scheduler.wall_now(), base::system_now());
}

} // namespace
} // namespace docmap::async
