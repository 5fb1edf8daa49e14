// Collects rows and writes them in batches: small ones while little is going on, large ones under load, since
// rows gather while a write is under way. A batch that fails is written again, the same, until it is stored.
// Lives on the control thread; owned by the pipeline. Its memory is bounded by the intake budget.
#pragma once

#include "async/scheduler.hpp"
#include "base/invariant.hpp"
#include "base/log.hpp"
#include "ports/delivery_log.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace docmap::pipeline {

struct BatchWriterSettings {
    std::string name;                   ///< what is written, for the log
    std::size_t max_rows = 1000;        ///< per batch
    std::size_t max_writes = 1;         ///< batches under way at once
    std::chrono::milliseconds linger{}; ///< longest wait for a batch to fill
};

template<typename Row>
class BatchWriter {
  public:
    using Stored = std::function<void(const std::vector<Row>&)>;
    using Failed = std::function<void()>;

    /// `stored` hears of every batch once it is stored, `failed` of every write that has to be repeated.
    BatchWriter(BatchWriterSettings settings, async::Scheduler& scheduler, ports::BatchLog<Row>& log,
                Stored stored, Failed failed)
        : settings_(std::move(settings)), scheduler_(scheduler), log_(log), stored_(std::move(stored)),
          failed_(std::move(failed)), linger_timer_(scheduler.make_timer([this] { write_pending(); })) {}

    BatchWriter(const BatchWriter&) = delete;
    BatchWriter& operator=(const BatchWriter&) = delete;

    void add(Row row) {
        pending_.push_back(std::move(row));
        ++outstanding_;
        write_if_due();
    }

    void add(std::vector<Row> rows) {
        outstanding_ += rows.size();
        if (pending_.empty())
            pending_ = std::move(rows);
        else
            std::move(rows.begin(), rows.end(), std::back_inserter(pending_));
        write_if_due();
    }

    /// From now on nothing waits for a batch to fill; `done` runs as soon as every row is stored.
    void finish(std::function<void()> done) {
        settings_.linger = {};
        finished_ = std::move(done);
        write_pending();
        report_if_finished();
    }

    /// Rows added and not stored yet.
    std::size_t outstanding() const { return outstanding_; }

  private:
    static constexpr std::chrono::milliseconds first_retry_delay{100};
    static constexpr std::chrono::milliseconds last_retry_delay{5000};

    void write_if_due() {
        if (pending_.size() >= settings_.max_rows || settings_.linger.count() == 0)
            write_pending();
        else if (!linger_timer_->pending() && writes_ < settings_.max_writes)
            linger_timer_->set(scheduler_.now() + settings_.linger);
    }

    void write_pending() {
        while (!pending_.empty() && writes_ < settings_.max_writes)
            write(take_batch(), ports::WriteTry::first, first_retry_delay);
    }

    std::vector<Row> take_batch() {
        if (pending_.size() <= settings_.max_rows) return std::exchange(pending_, {});
        const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(settings_.max_rows);
        std::vector<Row> batch(std::make_move_iterator(pending_.begin()), std::make_move_iterator(end));
        pending_.erase(pending_.begin(), end);
        return batch;
    }

    void write(std::vector<Row> batch, ports::WriteTry write_try, std::chrono::milliseconds retry_delay) {
        ++writes_;
        log_.write(std::move(batch), write_try,
                   [this, retry_delay](const base::Result<void>& result, std::vector<Row> written) {
                       --writes_;
                       if (result)
                           on_stored(written);
                       else
                           on_failed(std::move(written), result.error(), retry_delay);
                   });
    }

    void on_stored(const std::vector<Row>& batch) {
        base::require(outstanding_ >= batch.size(), "a row is stored once");
        outstanding_ -= batch.size();
        stored_(batch);
        if (pending_.size() >= settings_.max_rows || settings_.linger.count() == 0)
            write_pending();
        else if (!pending_.empty() && !linger_timer_->pending())
            linger_timer_->set(scheduler_.now() + settings_.linger);
        report_if_finished();
    }

    void on_failed(std::vector<Row> batch, const base::Error& error, std::chrono::milliseconds retry_delay) {
        failed_();
        base::log::warning("could not store a batch; it will be tried again",
                           {{"rows_of", settings_.name},
                            {"rows", batch.size()},
                            {"retry_in_ms", retry_delay.count()},
                            {"reason", error.message}});
        // The place stays taken while the batch waits, so that a database that is away gets no new batches.
        ++writes_;
        auto waiting = std::make_shared<Waiting>();
        waiting->batch = std::move(batch);
        waiting->timer = scheduler_.make_timer([this, retry_delay, raw = waiting.get()] {
            const auto kept = take_waiting(raw);
            --writes_;
            write(std::move(kept->batch), ports::WriteTry::again,
                  std::min(retry_delay * 2, last_retry_delay));
        });
        waiting->timer->set(scheduler_.now() + retry_delay);
        waiting_.push_back(std::move(waiting));
    }

    struct Waiting {
        std::vector<Row> batch;
        std::unique_ptr<async::Timer> timer;
    };

    std::shared_ptr<Waiting> take_waiting(const Waiting* wanted) {
        const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                        [wanted](const auto& entry) { return entry.get() == wanted; });
        std::shared_ptr<Waiting> taken = *found;
        waiting_.erase(found);
        return taken;
    }

    void report_if_finished() {
        if (!finished_ || outstanding_ != 0) return;
        std::exchange(finished_, nullptr)();
    }

    BatchWriterSettings settings_;
    async::Scheduler& scheduler_;
    ports::BatchLog<Row>& log_;
    Stored stored_;
    Failed failed_;
    std::unique_ptr<async::Timer> linger_timer_;
    std::vector<Row> pending_;
    std::vector<std::shared_ptr<Waiting>> waiting_; ///< batches between two tries
    std::size_t writes_ = 0;
    std::size_t outstanding_ = 0;
    std::function<void()> finished_;
};

} // namespace docmap::pipeline
