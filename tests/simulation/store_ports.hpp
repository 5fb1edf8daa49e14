// An instance's edge to the simulated database: the ports of the pipeline, and what the instance knows by
// them.
#pragma once

#include "simulation/database.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace docmap::simulation {

/// Where the events that an instance holds came from, by the address of their bodies.
using Origins = std::unordered_map<const char*, Origin>;

/// When an instance last read what is recorded of a partition, by the partition's index.
using GuardTimes = std::map<std::size_t, base::SteadyTime>;

/// What all ports of a life share.
struct StoreContext {
    World& world;
    const Scenario& scenario;
    Conditions& conditions;
    Database& database;
    KafkaLog& log;
    Oracle& oracle;
    LifePtr life;
    Thread::Mailbox mailbox;
    Origins origins{};
    GuardTimes guard_times{};
};

class SimAttemptLog final : public ports::AttemptLog {
  public:
    explicit SimAttemptLog(StoreContext& context) : context_(context) {}
    void write(std::vector<core::AttemptRecord> batch, ports::WriteTry write_try, Written done) override;

  private:
    StoreContext& context_;
};

class SimParkedLog final : public ports::ParkedLog {
  public:
    explicit SimParkedLog(StoreContext& context) : context_(context) {}
    void write(std::vector<core::ParkedDelivery> batch, ports::WriteTry write_try, Written done) override;

  private:
    StoreContext& context_;
};

class SimRejectedLog final : public ports::RejectedRecordLog {
  public:
    explicit SimRejectedLog(StoreContext& context) : context_(context) {}
    void write(std::vector<core::RejectedRecord> batch, ports::WriteTry write_try, Written done) override;

  private:
    StoreContext& context_;
};

class SimRecorded final : public ports::RecordedDeliveries {
  public:
    explicit SimRecorded(StoreContext& context) : context_(context) {}
    void find(const std::string& topic, std::int32_t partition, std::int64_t first_offset, std::size_t limit,
              Found done) override;

  private:
    StoreContext& context_;
};

class SimSubscriptions final : public ports::SubscriptionSource {
  public:
    explicit SimSubscriptions(StoreContext& context) : context_(context) {}
    void load(std::vector<std::string> user_ids, Loaded done) override;

  private:
    StoreContext& context_;
};

class SimQueue final : public ports::DeliveryQueue {
  public:
    explicit SimQueue(StoreContext& context) : context_(context) {}
    void keep_alive(Done<bool> done) override;
    void claim(ports::ClaimLimits limits, std::vector<std::int64_t> held, Done<ports::Claim> done) override;
    void take(std::vector<ports::TakeRequest> requests, std::size_t max_bytes, std::vector<std::int64_t> held,
              Done<std::vector<ports::ClaimedEndpoint>> done) override;
    void release_unknown(std::vector<std::string> known, Done<void> done) override;
    void release(std::vector<ports::EndpointRelease> releases, Done<void> done) override;
    void end(std::vector<std::string> webhook_ids, Done<bool> done) override;
    void leave(Done<void> done) override;

    /// The instance's name in the database; 0 before the first sign of life.
    Database::Instance name() const { return name_; }

  private:
    ports::ClaimedEndpoint answer(const Database::Claimed& claimed);

    StoreContext& context_;
    Database::Instance name_ = 0;
};

/// All of them. It outlives its instance: statements that are under way at a crash may still take effect.
struct StoreEdge {
    explicit StoreEdge(StoreContext shared) : context(std::move(shared)) {}

    StoreContext context;
    SimAttemptLog attempts{context};
    SimParkedLog parked{context};
    SimRejectedLog rejected{context};
    SimRecorded recorded{context};
    SimSubscriptions subscriptions{context};
    SimQueue queue{context};
};

} // namespace docmap::simulation
