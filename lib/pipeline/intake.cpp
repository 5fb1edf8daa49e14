#include "pipeline/intake.hpp"

#include "base/log.hpp"

#include <utility>

namespace docmap::pipeline {

Intake::Intake(std::size_t max_event_bytes, async::Scheduler& scheduler, ports::RecordedDeliveries& recorded,
               Settlement& settlement, FanOut& fan_out, BatchWriter<core::RejectedRecord>& rejected,
               base::Metrics& metrics, TurnEnded turn_ended)
    : settlement_(settlement), fan_out_(fan_out), rejected_(rejected), metrics_(metrics),
      decoder_(max_event_bytes),
      replay_guard_(
          scheduler, recorded,
          [this](core::RecordPtr record, std::vector<core::RecordedDelivery> rows) {
              admit(std::move(record), std::move(rows));
          },
          std::move(turn_ended)) {}

void Intake::open(const std::vector<core::AssignmentPtr>& assignments) {
    for (const core::AssignmentPtr& assignment : assignments) {
        settlement_.open(assignment);
        replay_guard_.begin(assignment);
    }
}

void Intake::take(std::vector<core::RecordPtr> records) {
    metrics_.records_received.Increment(static_cast<double>(records.size()));
    for (core::RecordPtr& record : records) {
        settlement_.receive(*record);
        replay_guard_.offer(std::move(record));
    }
}

void Intake::revoke(const std::vector<core::AssignmentId>& assignments) {
    for (const core::AssignmentId id : assignments) {
        const std::vector<core::RecordPtr> held = replay_guard_.end(id);
        for (const core::RecordPtr& record : held)
            settlement_.expect(*record, 0);
        settlement_.revoke(id);
    }
}

void Intake::admit(core::RecordPtr record, std::vector<core::RecordedDelivery> recorded) {
    core::DecodeResult decoded = decoder_.decode(record);
    if (decoded)
        fan_out_.add(std::move(*decoded), std::move(recorded));
    else
        reject(std::move(record), std::move(decoded.error().message));
}

void Intake::reject(core::RecordPtr record, std::string reason) {
    metrics_.records_rejected.Increment();
    base::log::warning("rejected a record; it is kept in rejected_events",
                       {{"topic", record->topic()},
                        {"partition", record->partition()},
                        {"offset", record->offset()},
                        {"reason", reason}});
    settlement_.expect(*record, 1);
    rejected_.add(core::RejectedRecord{std::move(record), std::move(reason)});
}

} // namespace docmap::pipeline
