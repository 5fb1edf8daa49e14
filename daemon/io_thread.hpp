// An io_context and the one thread that runs it. Owned by the service; stop() ends the thread and joins it.
#pragma once

#include "async/asio_scheduler.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <string>
#include <thread>

namespace docmap::daemon {

class IoThread {
  public:
    /// `name` shows in tools such as top; at most 15 characters.
    explicit IoThread(std::string name) : name_(std::move(name)) {}
    ~IoThread() { stop(); }

    IoThread(const IoThread&) = delete;
    IoThread& operator=(const IoThread&) = delete;

    void start();

    /// Ends the thread after the handler that is running, and joins it. May be called twice.
    void stop();

    boost::asio::io_context& context() { return context_; }
    async::Scheduler& scheduler() { return scheduler_; }

  private:
    std::string name_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    async::AsioScheduler scheduler_{context_};
    std::thread thread_;
};

} // namespace docmap::daemon
