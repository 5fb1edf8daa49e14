#include "pipeline/batch_writer.hpp"
#include "support/virtual_scheduler.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace docmap::pipeline {
namespace {

using namespace std::chrono_literals;

/// A log that keeps each write until the test answers it.
class ManualLog final : public ports::BatchLog<int> {
  public:
    struct Write {
        std::vector<int> batch;
        ports::WriteTry write_try;
        Written done;
    };

    void write(std::vector<int> batch, ports::WriteTry write_try, Written done) override {
        writes.push_back({std::move(batch), write_try, std::move(done)});
    }

    void succeed() {
        Write write = take();
        write.done({}, std::move(write.batch));
    }
    void fail() {
        Write write = take();
        write.done(base::Error{"the database is away"}, std::move(write.batch));
    }

    std::deque<Write> writes;

  private:
    Write take() {
        Write write = std::move(writes.front());
        writes.pop_front();
        return write;
    }
};

class BatchWriterTest : public testing::Test {
  protected:
    BatchWriter<int> make(std::size_t max_rows, std::size_t max_writes, std::chrono::milliseconds linger) {
        return BatchWriter<int>(
            {"numbers", max_rows, max_writes, linger}, scheduler_, log_,
            [this](const std::vector<int>& rows) { stored_.insert(stored_.end(), rows.begin(), rows.end()); },
            [this] { ++failures_; });
    }

    test::VirtualScheduler scheduler_;
    ManualLog log_;
    std::vector<int> stored_;
    int failures_ = 0;
};

TEST_F(BatchWriterTest, WaitsForABatchToFillNoLongerThanToldTo) {
    auto writer = make(100, 1, 10ms);
    writer.add(1);
    writer.add(2);
    scheduler_.advance(9ms);
    EXPECT_TRUE(log_.writes.empty());
    scheduler_.advance(1ms);
    ASSERT_EQ(log_.writes.size(), 1U);
    EXPECT_EQ(log_.writes[0].batch, (std::vector{1, 2}));
    EXPECT_EQ(writer.outstanding(), 2U);
    log_.succeed();
    EXPECT_EQ(stored_, (std::vector{1, 2}));
    EXPECT_EQ(writer.outstanding(), 0U);
}

TEST_F(BatchWriterTest, WritesAFullBatchAtOnce) {
    auto writer = make(3, 2, 10ms);
    writer.add(std::vector{1, 2, 3, 4});
    ASSERT_EQ(log_.writes.size(), 2U);
    EXPECT_EQ(log_.writes[0].batch, (std::vector{1, 2, 3}));
    EXPECT_EQ(log_.writes[1].batch, (std::vector{4}));
}

TEST_F(BatchWriterTest, GathersWhileAllWritesAreUnderWay) {
    auto writer = make(10, 1, 0ms);
    writer.add(1);
    writer.add(2);
    writer.add(3);
    ASSERT_EQ(log_.writes.size(), 1U);
    log_.succeed();
    ASSERT_EQ(log_.writes.size(), 1U);
    EXPECT_EQ(log_.writes[0].batch, (std::vector{2, 3}));
}

TEST_F(BatchWriterTest, WritesAFailedBatchAgainWithGrowingDelays) {
    auto writer = make(10, 1, 0ms);
    writer.add(std::vector{1, 2});
    writer.add(3);
    EXPECT_EQ(log_.writes[0].write_try, ports::WriteTry::first);
    for (const auto delay : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
        log_.fail();
        EXPECT_TRUE(log_.writes.empty()) << "no other batch may be tried while this one waits";
        scheduler_.advance(delay - 1ms);
        EXPECT_TRUE(log_.writes.empty());
        scheduler_.advance(1ms);
        ASSERT_EQ(log_.writes.size(), 1U);
        EXPECT_EQ(log_.writes[0].batch, (std::vector{1, 2}));
        EXPECT_EQ(log_.writes[0].write_try, ports::WriteTry::again);
    }
    EXPECT_EQ(failures_, 8);
    log_.succeed();
    ASSERT_EQ(log_.writes.size(), 1U);
    log_.succeed();
    EXPECT_EQ(stored_, (std::vector{1, 2, 3}));
}

TEST_F(BatchWriterTest, FinishesOnceEverythingIsStored) {
    auto writer = make(10, 1, 1h);
    int finished = 0;
    writer.add(1);
    writer.finish([&] { ++finished; });
    ASSERT_EQ(log_.writes.size(), 1U);
    EXPECT_EQ(finished, 0);
    writer.add(2);
    log_.succeed();
    EXPECT_EQ(finished, 0);
    log_.succeed();
    EXPECT_EQ(finished, 1);
}

TEST_F(BatchWriterTest, FinishesAtOnceWhereNothingIsOutstanding) {
    auto writer = make(10, 1, 10ms);
    int finished = 0;
    writer.finish([&] { ++finished; });
    EXPECT_EQ(finished, 1);
}

} // namespace
} // namespace docmap::pipeline
