#include "store/delivery_queue.hpp"

#include "base/invariant.hpp"
#include "store/instances.hpp"
#include "store/queue_claims.hpp"
#include "store/random.hpp"

#include <utility>

namespace docmap::store {

namespace {

constexpr const char* name_prefix = "instance-";

/// The name under which this instance is among the living.
struct Living {
    std::string name;
};

} // namespace

PostgresDeliveryQueue::PostgresDeliveryQueue(Database& database, boost::asio::any_io_executor control,
                                             std::chrono::milliseconds lease)
    : database_(database), control_(std::move(control)), lease_(lease), name_(random_id(name_prefix)) {}

void PostgresDeliveryQueue::keep_alive(Done<bool> done) {
    // A name is not used again once it was dead: another thread may still be at a claim for it.
    auto work = [name = name_, entered = entered_, next_name = random_id(name_prefix),
                 lease = lease_](Connection& connection) {
        Living living{name};
        if (!extend_life(connection, name, lease)) {
            if (entered) living.name = next_name;
            enter_instance(connection, living.name, lease);
        }
        free_dead_claims(connection);
        return living;
    };
    run_on(database_, control_, std::move(work), [this, done = std::move(done)](base::Result<Living> living) {
        if (!living.has_value()) {
            done(living.error());
            return;
        }
        entered_ = true;
        const bool kept = living->name == name_;
        if (!kept) name_ = std::move(living->name);
        done(kept);
    });
}

void PostgresDeliveryQueue::claim(ports::ClaimLimits limits, std::vector<std::int64_t> held,
                                  Done<ports::Claim> done) {
    base::require(!claiming_, "the delivery queue is asked for one claim at a time");
    claiming_ = true;
    auto work = [name = name_, limits, held = std::move(held)](Connection& connection) {
        return claim_endpoints(connection, name, limits, held);
    };
    run_on(database_, control_, std::move(work),
           [this, name = name_, done = std::move(done)](base::Result<ports::Claim> result) {
               claiming_ = false;
               // This instance was taken for dead meanwhile: the endpoints are others'.
               if (result.has_value() && name != name_)
                   result = ports::Claim{{}, std::chrono::milliseconds{0}};
               done(std::move(result));
           });
}

void PostgresDeliveryQueue::release_unknown(std::vector<std::string> known, Done<void> done) {
    auto work = [name = name_, known = std::move(known)](Connection& connection) {
        free_lost_claims(connection, name, known);
    };
    run_on(database_, control_, std::move(work), std::move(done));
}

void PostgresDeliveryQueue::take(std::vector<ports::TakeRequest> requests, std::size_t max_bytes,
                                 std::vector<std::int64_t> held,
                                 Done<std::vector<ports::ClaimedEndpoint>> done) {
    using Endpoints = std::vector<ports::ClaimedEndpoint>;
    auto work = [name = name_, requests = std::move(requests), max_bytes,
                 held = std::move(held)](Connection& connection) {
        return take_deliveries(connection, name, requests, max_bytes, held);
    };
    run_on(database_, control_, std::move(work),
           [this, name = name_, done = std::move(done)](base::Result<Endpoints> result) {
               if (result.has_value() && name != name_) result = Endpoints{};
               done(std::move(result));
           });
}

void PostgresDeliveryQueue::release(std::vector<ports::EndpointRelease> releases, Done<void> done) {
    auto work = [name = name_, releases = std::move(releases)](Connection& connection) {
        release_endpoints(connection, name, releases);
    };
    run_on(database_, control_, std::move(work), std::move(done));
}

void PostgresDeliveryQueue::end(std::vector<std::string> webhook_ids, Done<bool> done) {
    auto work = [webhook_ids = std::move(webhook_ids)](Connection& connection) {
        return end_deliveries(connection, webhook_ids);
    };
    run_on(database_, control_, std::move(work), std::move(done));
}

void PostgresDeliveryQueue::leave(Done<void> done) {
    auto work = [name = name_](Connection& connection) { leave_instances(connection, name); };
    run_on(database_, control_, std::move(work), std::move(done));
}

} // namespace docmap::store
