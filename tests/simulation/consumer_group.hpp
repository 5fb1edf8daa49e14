// The simulated Kafka's group coordinator and one member of the group, in the place of lib/kafka: the source
// of an instance's records. Assignments are eager (range); a member that is silent for its session is put out
// of the group and may not commit any more.
#pragma once

#include "ports/record_source.hpp"
#include "simulation/conditions.hpp"
#include "simulation/kafka_log.hpp"
#include "simulation/store_ports.hpp"
#include "simulation/thread.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace docmap::simulation {

using MemberId = std::uint64_t; ///< never used again

class Coordinator {
  public:
    Coordinator(World& world, Conditions& conditions, KafkaLog& log)
        : world_(world), conditions_(conditions), log_(log) {}

    /// A member's partitions, by their indexes, in this generation.
    using Assigned = std::function<void(std::uint64_t generation, std::vector<std::size_t> partitions)>;

    /// `lost` is told outside the member's process that it was put out of the group.
    MemberId join(Assigned assigned, std::function<void()> lost);
    /// The member has given its partitions back and waits for new ones.
    void rejoin(MemberId member);
    void leave(MemberId member);
    enum class State { stable, rebalancing, unknown };
    State heartbeat(MemberId member);
    bool commit(MemberId member, std::uint64_t generation, std::size_t partition, std::int64_t offset);
    void rebalance();
    bool knows(MemberId member) const { return members_.contains(member); }

    static constexpr std::chrono::seconds session{10};
    static constexpr std::chrono::seconds heartbeat_interval{3};

  private:
    struct Member {
        Assigned assigned;
        std::function<void()> lost;
        bool joined = false;
        base::SteadyTime last_seen;
        std::uint64_t seen = 0;
    };

    void expect_heartbeat(MemberId member);
    void begin_rebalance();
    void complete_if_joined();

    World& world_;
    Conditions& conditions_;
    KafkaLog& log_;
    std::map<MemberId, Member> members_;
    std::uint64_t generation_ = 0;
    bool rebalancing_ = false;
    MemberId last_member_ = 0;
};

class GroupMember final : public ports::RecordSource {
  public:
    /// All must outlive the life; `sink` is called on its control thread.
    GroupMember(Coordinator& coordinator, Conditions& conditions, StoreContext& context, Thread& kafka_thread,
                Thread& control, ports::RecordSink& sink);
    ~GroupMember() override;

    void start();
    void grant(std::size_t events, std::size_t bytes) override;
    void stop_intake() override;
    void close(std::function<void()> closed) override;

    /// Whether the whole allowance is there: nothing taken in is unsettled.
    bool all_given_back() const;

    /// The assignment of this id is no longer the member's.
    bool revoked(core::AssignmentId id) const { return revoked_.contains(id); }
    /// The record with that offset as the member's present assignment of the partition has it, or null.
    core::RecordPtr current(const core::Record& record) const;

  private:
    struct Owned {
        core::AssignmentPtr assignment;
        std::size_t partition = 0;
        std::size_t position = 0; ///< of the next entry in the log
        std::uint64_t received = 0;
        std::int64_t committed = -1;
        std::int64_t last_offset = -1;
        std::map<std::int64_t, std::uint64_t> sequences; ///< by offset
    };

    void join();
    void heartbeat();
    void on_assigned(std::uint64_t generation, const std::vector<std::size_t>& partitions);
    void drop_assignments();
    void commit(std::function<void()> done);
    std::int64_t offset_to_commit(const Owned& owned) const;
    void read();

    World& world_;
    Coordinator& coordinator_;
    Conditions& conditions_;
    StoreContext& context_;
    Thread& thread_;
    Thread& control_;
    ports::RecordSink& sink_;
    Random random_;
    std::unique_ptr<async::Timer> heartbeat_timer_;
    std::unique_ptr<async::Timer> read_timer_;
    std::unique_ptr<async::Timer> commit_timer_;
    MemberId member_ = 0;
    std::uint64_t joined_ = 0; ///< how many times so far
    std::uint64_t generation_ = 0;
    std::vector<Owned> owned_;
    std::set<core::AssignmentId> revoked_;
    std::uint64_t last_assignment_ = 0;
    std::int64_t free_events_ = 0;
    std::int64_t free_bytes_ = 0;
    bool rejoining_ = false;
    bool committing_ = false;
    bool stopped_ = false;
    bool closing_ = false;
};

} // namespace docmap::simulation
