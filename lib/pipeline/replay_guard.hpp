// Holds records of a fresh assignment until it is known which of their deliveries are recorded already, so
// that a crash or a rebalance does not send again what was sent. Costs nothing once the highest recorded
// offset is passed. Lives on the control thread; owned by the pipeline. What it holds is bounded by the
// intake budget.
#pragma once

#include "async/scheduler.hpp"
#include "core/assignment.hpp"
#include "core/replay_filter.hpp"
#include "ports/delivery_log.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace docmap::pipeline {

class ReplayGuard {
  public:
    /// Takes a record on, with what is recorded of it.
    using Admit = std::function<void(core::RecordPtr, std::vector<core::RecordedDelivery>)>;
    /// Runs after records were admitted outside a call of offer().
    using TurnEnded = std::function<void()>;

    ReplayGuard(async::Scheduler& scheduler, ports::RecordedDeliveries& recorded, Admit admit,
                TurnEnded turn_ended)
        : scheduler_(scheduler), recorded_(recorded), admit_(std::move(admit)),
          turn_ended_(std::move(turn_ended)) {}

    void begin(const core::AssignmentPtr& assignment);

    /// The assignment was revoked: returns the records still held, which are nobody's business here any more.
    std::vector<core::RecordPtr> end(core::AssignmentId id);

    /// Admits the record now, or later, in order.
    void offer(core::RecordPtr record);

  private:
    struct Partition {
        Partition(core::AssignmentPtr owner)
            : assignment(std::move(owner)), filter(assignment->first_offset()) {}

        core::AssignmentPtr assignment;
        core::ReplayFilter filter;
        std::deque<core::RecordPtr> held;
        std::size_t page_rows = first_page_rows;
        bool loading = false;
        std::chrono::milliseconds retry_delay = first_retry_delay;
        std::unique_ptr<async::Timer> retry_timer;
    };

    static constexpr std::size_t first_page_rows = 20000;
    static constexpr std::chrono::milliseconds first_retry_delay{100};
    static constexpr std::chrono::milliseconds last_retry_delay{5000};

    void load(Partition& partition);
    void on_page(core::AssignmentId id, std::size_t page_rows,
                 base::Result<std::vector<core::RecordedDelivery>> page);
    void admit_held(core::AssignmentId id);

    async::Scheduler& scheduler_;
    ports::RecordedDeliveries& recorded_;
    Admit admit_;
    TurnEnded turn_ended_;
    std::unordered_map<core::AssignmentId, std::unique_ptr<Partition>> partitions_;
};

} // namespace docmap::pipeline
