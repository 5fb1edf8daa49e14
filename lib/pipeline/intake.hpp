// Takes records in: enters each into its ledger, asks whether it is a replay, decodes it, and hands it on as
// an event to the fan-out or as a rejected record to its log. Lives on the control thread; owned by the
// pipeline.
#pragma once

#include "base/metrics.hpp"
#include "core/event_decoder.hpp"
#include "pipeline/batch_writer.hpp"
#include "pipeline/fan_out.hpp"
#include "pipeline/replay_guard.hpp"
#include "pipeline/settlement.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace docmap::pipeline {

class Intake {
  public:
    using TurnEnded = std::function<void()>;

    Intake(std::size_t max_event_bytes, async::Scheduler& scheduler, ports::RecordedDeliveries& recorded,
           Settlement& settlement, FanOut& fan_out, BatchWriter<core::RejectedRecord>& rejected,
           base::Metrics& metrics, TurnEnded turn_ended);

    void open(const std::vector<core::AssignmentPtr>& assignments);
    void take(std::vector<core::RecordPtr> records);
    void revoke(const std::vector<core::AssignmentId>& assignments);

  private:
    void admit(core::RecordPtr record, std::vector<core::RecordedDelivery> recorded);
    void reject(core::RecordPtr record, std::string reason);

    Settlement& settlement_;
    FanOut& fan_out_;
    BatchWriter<core::RejectedRecord>& rejected_;
    base::Metrics& metrics_;
    core::EventDecoder decoder_;
    ReplayGuard replay_guard_;
};

} // namespace docmap::pipeline
