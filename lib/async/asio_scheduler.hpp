// A scheduler over one Asio io_context that is run by one thread.
// Must live as long as the io_context's handlers; timers must be gone before the io_context is.
#pragma once

#include "async/scheduler.hpp"

#include <boost/asio/io_context.hpp>

namespace docmap::async {

class AsioScheduler final : public Scheduler {
  public:
    explicit AsioScheduler(boost::asio::io_context& context) : context_(context) {}

    base::SteadyTime now() const override;
    base::SystemTime wall_now() const override;
    std::unique_ptr<Timer> make_timer(std::function<void()> callback) override;
    void post(std::function<void()> task) override;

  private:
    boost::asio::io_context& context_;
};

} // namespace docmap::async
