// The pipeline's ports, answered by the test: each call is kept until the test says how it ends.
#pragma once

#include "async/scheduler.hpp"
#include "ports/delivery_log.hpp"
#include "ports/delivery_queue.hpp"
#include "ports/record_source.hpp"
#include "ports/subscriptions.hpp"
#include "ports/transport.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace docmap::test {

class ManualSource final : public ports::RecordSource {
  public:
    void grant(std::size_t events, std::size_t bytes) override {
        granted_events += events;
        granted_bytes += bytes;
    }
    void stop_intake() override { stopped = true; }
    void close(std::function<void()> closed) override {
        is_closed = true;
        closed();
    }

    std::size_t granted_events = 0;
    std::size_t granted_bytes = 0;
    bool stopped = false;
    bool is_closed = false;
};

class ManualSubscriptions final : public ports::SubscriptionSource {
  public:
    void load(std::vector<std::string> user_ids, Loaded done) override {
        loads.emplace_back(std::move(user_ids), std::move(done));
    }

    /// Answers the oldest load: `webhooks` for every user asked for.
    void succeed(const std::vector<core::WebhookPtr>& webhooks) {
        auto [user_ids, done] = take();
        std::vector<ports::UserSubscriptions> users;
        for (std::string& user_id : user_ids)
            users.push_back({std::move(user_id), webhooks});
        done(std::move(users));
    }
    void fail() { take().second(base::Error{"the database is away"}); }

    std::deque<std::pair<std::vector<std::string>, Loaded>> loads;

  private:
    std::pair<std::vector<std::string>, Loaded> take() {
        auto load = std::move(loads.front());
        loads.pop_front();
        return load;
    }
};

class ManualRecorded final : public ports::RecordedDeliveries {
  public:
    struct Question {
        std::int32_t partition;
        std::int64_t first_offset;
        std::size_t limit;
        Found found;
    };

    void find(const std::string&, std::int32_t partition, std::int64_t first_offset, std::size_t limit,
              Found found) override {
        questions.push_back({partition, first_offset, limit, std::move(found)});
    }

    void answer(base::Result<std::vector<core::RecordedDelivery>> rows) {
        const Question question = std::move(questions.front());
        questions.pop_front();
        question.found(std::move(rows));
    }

    std::deque<Question> questions;
};

template<typename Row>
class ManualBatchLog final : public ports::BatchLog<Row> {
  public:
    using Written = typename ports::BatchLog<Row>::Written;

    void write(std::vector<Row> batch, ports::WriteTry write_try, Written done) override {
        last_try = write_try;
        writes.emplace_back(std::move(batch), std::move(done));
    }

    void succeed() {
        auto [batch, done] = take();
        done({}, std::move(batch));
    }
    void fail() {
        auto [batch, done] = take();
        done(base::Error{"the database is away"}, std::move(batch));
    }

    std::deque<std::pair<std::vector<Row>, Written>> writes;
    ports::WriteTry last_try = ports::WriteTry::first; ///< of the newest write

  private:
    std::pair<std::vector<Row>, Written> take() {
        auto write = std::move(writes.front());
        writes.pop_front();
        return write;
    }
};

class ManualQueue final : public ports::DeliveryQueue {
  public:
    struct Claiming {
        ports::ClaimLimits limits;
        std::vector<std::int64_t> held;
        Done<ports::Claim> done;
    };
    struct Taking {
        std::vector<ports::TakeRequest> requests;
        Done<std::vector<ports::ClaimedEndpoint>> done;
    };
    struct Releasing {
        std::vector<ports::EndpointRelease> releases;
        Done<void> done;
    };
    struct ReleasingUnknown {
        std::vector<std::string> known;
        Done<void> done;
    };
    struct Ending {
        std::vector<std::string> webhook_ids;
        Done<bool> done;
    };

    void keep_alive(Done<bool> done) override { renewals.push_back(std::move(done)); }
    void claim(ports::ClaimLimits limits, std::vector<std::int64_t> held, Done<ports::Claim> done) override {
        claims.push_back({limits, std::move(held), std::move(done)});
    }
    void take(std::vector<ports::TakeRequest> requests, std::size_t, std::vector<std::int64_t>,
              Done<std::vector<ports::ClaimedEndpoint>> done) override {
        takes.push_back({std::move(requests), std::move(done)});
    }
    void release_unknown(std::vector<std::string> known, Done<void> done) override {
        unknown_releases.push_back({std::move(known), std::move(done)});
    }
    void release(std::vector<ports::EndpointRelease> releases_made, Done<void> done) override {
        releases.push_back({std::move(releases_made), std::move(done)});
    }
    void end(std::vector<std::string> webhook_ids, Done<bool> done) override {
        ends.push_back({std::move(webhook_ids), std::move(done)});
    }
    void leave(Done<void> done) override { leaves.push_back(std::move(done)); }

    /// Takes the oldest question of a kind out, to be answered.
    template<typename Question>
    static Question take_first(std::deque<Question>& questions) {
        Question first = std::move(questions.front());
        questions.pop_front();
        return first;
    }

    std::deque<Done<bool>> renewals;
    std::deque<Claiming> claims;
    std::deque<Taking> takes;
    std::deque<Releasing> releases;
    std::deque<ReleasingUnknown> unknown_releases;
    std::deque<Ending> ends;
    std::deque<Done<void>> leaves;
};

class ManualTransport final : public ports::Transport {
  public:
    ManualTransport(ports::ExchangeListener& listener, const async::Scheduler& clock)
        : listener_(listener), clock_(clock) {}

    void start(ports::Exchange& exchange) override { exchanges.push_back(&exchange); }

    void abort_all() override {
        while (!exchanges.empty()) {
            exchanges.front()->result.aborted = true;
            end_first();
        }
    }

    void respond(std::uint16_t http_status) {
        exchanges.front()->result.http_status = http_status;
        end_first();
    }
    void respond(std::uint16_t http_status, const std::string& retry_after) {
        exchanges.front()->result.retry_after = retry_after;
        respond(http_status);
    }
    void fail(const std::string& error, bool blocked = false) {
        exchanges.front()->result.error = error;
        exchanges.front()->result.blocked = blocked;
        end_first();
    }

    std::deque<ports::Exchange*> exchanges;

  private:
    void end_first() {
        ports::Exchange& exchange = *exchanges.front();
        exchanges.pop_front();
        exchange.end_time = clock_.now();
        listener_.on_exchange_done(exchange);
    }

    ports::ExchangeListener& listener_;
    const async::Scheduler& clock_;
};

} // namespace docmap::test
