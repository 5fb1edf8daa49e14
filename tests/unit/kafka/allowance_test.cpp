#include "kafka/allowance.hpp"
#include "kafka/log_gate.hpp"
#include "kafka/wakeup.hpp"

#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

using namespace std::chrono_literals;

TEST(Allowance, IsExhaustedAtFirst) {
    Allowance allowance;
    EXPECT_TRUE(allowance.exhausted());
    EXPECT_TRUE(allowance.grant(10, 1000)) << "the reader has to be woken";
    EXPECT_FALSE(allowance.exhausted());
}

TEST(Allowance, TheReaderIsWokenOnlyWhereItMaySleep) {
    Allowance allowance;
    allowance.grant(10, 1000);
    EXPECT_FALSE(allowance.grant(10, 1000));
    allowance.take(20, 100);
    EXPECT_TRUE(allowance.grant(1, 1)) << "no event was left";
    allowance.take(1, 1901);
    EXPECT_TRUE(allowance.grant(1, 1)) << "no byte was left";
}

TEST(Allowance, EventsAndBytesBothLimitTheRecords) {
    Allowance allowance;
    allowance.grant(10, 1000);
    EXPECT_EQ(allowance.records(1), 10u);
    EXPECT_EQ(allowance.records(300), 4u) << "the last one may exceed the bytes";
    EXPECT_EQ(allowance.records(5000), 1u) << "a record larger than the allowance is not stuck";
}

TEST(Allowance, ADebtOfBytesIsPaidFirst) {
    Allowance allowance;
    allowance.grant(10, 1000);
    allowance.take(1, 5000);
    EXPECT_TRUE(allowance.exhausted());
    allowance.grant(0, 4000);
    EXPECT_TRUE(allowance.exhausted());
    allowance.grant(0, 1);
    EXPECT_FALSE(allowance.exhausted());
}

TEST(LogGate, ARepeatedFailureIsLoggedAtFirstAndThenNowAndAgain) {
    LogGate gate;
    const base::SteadyTime start{1h};
    EXPECT_TRUE(gate.admits(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, start));
    EXPECT_FALSE(gate.admits(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, start + 29s));
    EXPECT_TRUE(gate.admits(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, start + 30s));
    EXPECT_TRUE(gate.admits(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, start + 31s)) << "another failure";
    EXPECT_TRUE(gate.clear());
    EXPECT_FALSE(gate.clear());
    EXPECT_TRUE(gate.admits(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, start + 32s));
}

TEST(Wakeup, ASignalBeforeTheWaitEndsIt) {
    Wakeup wakeup;
    wakeup.signal();
    wakeup.signal();
    const auto start = std::chrono::steady_clock::now();
    wakeup.wait(10s);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    wakeup.wait(1ms); // both signals were taken: this one times out
}

} // namespace
} // namespace docmap::kafka
