// What a group member works with, and what other threads ask of it. Owned by the consumer.
#pragma once

#include "base/health.hpp"
#include "base/metrics.hpp"
#include "config/config.hpp"
#include "core/lease.hpp"
#include "kafka/allowance.hpp"
#include "kafka/wakeup.hpp"
#include "ports/record_source.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <functional>
#include <string>

namespace docmap::kafka {

/// Set by any thread, read by the Kafka thread.
struct Requests {
    Allowance allowance;
    Wakeup wakeup;
    std::atomic<bool> stop_intake{false};
    std::atomic<bool> close{false};
};

/// Everything must outlive the member; the sink and the executor also the last task posted.
struct MemberContext {
    const config::Kafka& config;
    boost::asio::any_io_executor control; ///< where the sink and on_fatal are called
    ports::RecordSink& sink;
    base::HealthBoard& board;
    base::Metrics& metrics;
    std::function<void(std::string)> on_fatal;
    Requests& requests;
    core::Lease& membership; ///< extended while this member may believe in its assignments
};

/// The consumer's name on the health board.
inline constexpr const char* health_part = "kafka";

} // namespace docmap::kafka
