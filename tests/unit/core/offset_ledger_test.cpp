#include "core/offset_ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace docmap::core {
namespace {

TEST(OffsetLedger, StartsWithNothingToCommit) {
    const OffsetLedger ledger;
    EXPECT_EQ(ledger.settled_offset(), -1);
    EXPECT_EQ(ledger.unsettled(), 0U);
}

TEST(OffsetLedger, CommitsTheOffsetBehindTheSettledPrefix) {
    OffsetLedger ledger;
    ledger.receive(0, 10);
    ledger.receive(1, 11);
    EXPECT_FALSE(ledger.expect(0, 1));
    EXPECT_TRUE(ledger.settle_one(0));
    EXPECT_EQ(ledger.settled_offset(), 11);
    EXPECT_EQ(ledger.unsettled(), 1U);
}

TEST(OffsetLedger, HoldsTheCommitAtTheFirstUnsettledRecord) {
    OffsetLedger ledger;
    for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
        ledger.receive(sequence, static_cast<std::int64_t>(sequence));
        ledger.expect(sequence, 1);
    }
    ledger.settle_one(1);
    ledger.settle_one(2);
    EXPECT_EQ(ledger.settled_offset(), -1);
    EXPECT_EQ(ledger.span(), 3U);
    ledger.settle_one(0);
    EXPECT_EQ(ledger.settled_offset(), 3);
    EXPECT_EQ(ledger.span(), 0U);
}

TEST(OffsetLedger, ARecordIsSettledByItsLastDelivery) {
    OffsetLedger ledger;
    ledger.receive(0, 5);
    ledger.expect(0, 3);
    EXPECT_FALSE(ledger.settle_one(0));
    EXPECT_FALSE(ledger.settle_one(0));
    EXPECT_TRUE(ledger.settle_one(0));
    EXPECT_EQ(ledger.settled_offset(), 6);
}

TEST(OffsetLedger, ARecordThatOwesNothingIsSettledAtOnce) {
    OffsetLedger ledger;
    ledger.receive(0, 5);
    EXPECT_TRUE(ledger.expect(0, 0));
    EXPECT_EQ(ledger.settled_offset(), 6);
}

TEST(OffsetLedger, ARecordWhoseDeliveriesAreUnknownIsNotSettled) {
    OffsetLedger ledger;
    ledger.receive(0, 5);
    ledger.receive(1, 6);
    ledger.expect(1, 0);
    EXPECT_EQ(ledger.settled_offset(), -1);
}

TEST(OffsetLedger, OffsetsThatAreNeverReceivedCountAsSettled) {
    OffsetLedger ledger;
    ledger.receive(0, 5);
    ledger.receive(1, 900);
    ledger.expect(0, 0);
    EXPECT_EQ(ledger.settled_offset(), 6);
    ledger.expect(1, 0);
    EXPECT_EQ(ledger.settled_offset(), 901);
}

TEST(OffsetLedger, AnyOrderOfCompletionKeepsTheRule) {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        OffsetLedger ledger;
        constexpr std::uint64_t records = 30;
        std::vector<std::uint64_t> completions;
        std::vector<int> owed(records);
        for (std::uint64_t sequence = 0; sequence < records; ++sequence) {
            ledger.receive(sequence, static_cast<std::int64_t>(sequence * 2));
            owed[sequence] = 1 + static_cast<int>(random() % 3);
            ledger.expect(sequence, static_cast<std::uint32_t>(owed[sequence]));
            completions.insert(completions.end(), static_cast<std::size_t>(owed[sequence]), sequence);
        }
        std::shuffle(completions.begin(), completions.end(), random);
        for (const std::uint64_t sequence : completions) {
            ledger.settle_one(sequence);
            --owed[sequence];
            std::int64_t expected = -1;
            for (std::uint64_t i = 0; i < records && owed[i] == 0; ++i)
                expected = static_cast<std::int64_t>(i * 2) + 1;
            ASSERT_EQ(ledger.settled_offset(), expected);
        }
        EXPECT_EQ(ledger.unsettled(), 0U);
    }
}

TEST(OffsetLedgerDeathTest, RefusesWhatWouldLoseAnEvent) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    OffsetLedger ledger;
    ledger.receive(0, 5);
    EXPECT_DEATH(ledger.receive(2, 6), "in sequence");
    EXPECT_DEATH(ledger.receive(1, 5), "offsets of a partition rise");
    EXPECT_DEATH(ledger.settle_one(0), "settled once");
    EXPECT_DEATH(ledger.settle_one(1), "received, unsettled");
    ledger.expect(0, 2);
    EXPECT_DEATH(ledger.expect(0, 2), "set once");
}

} // namespace
} // namespace docmap::core
