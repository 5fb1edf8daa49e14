// Lets a failure that repeats be logged once, and then again after a while.
// Belongs to one thread and to the object whose failures it watches.
#pragma once

#include "base/time.hpp"

#include <librdkafka/rdkafka.h>

#include <chrono>

namespace docmap::kafka {

class LogGate {
  public:
    static constexpr std::chrono::seconds interval{30};

    /// Whether the failure is to be logged now.
    bool admits(rd_kafka_resp_err_t error, base::SteadyTime now) {
        if (error == last_ && now - logged_at_ < interval) return false;
        last_ = error;
        logged_at_ = now;
        return true;
    }

    /// The work succeeded. Returns whether it had failed before.
    bool clear() {
        const bool failed_before = last_ != RD_KAFKA_RESP_ERR_NO_ERROR;
        last_ = RD_KAFKA_RESP_ERR_NO_ERROR;
        return failed_before;
    }

  private:
    rd_kafka_resp_err_t last_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    base::SteadyTime logged_at_{};
};

} // namespace docmap::kafka
