#include "net/address_turns.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace docmap::test {
namespace {

using namespace std::chrono_literals;

const base::SteadyTime start{};

std::vector<base::IpAddress> addresses(std::uint8_t count) {
    std::vector<base::IpAddress> made;
    for (std::uint8_t i = 1; i <= count; ++i)
        made.push_back(base::IpAddress::v4({192, 0, 2, i}));
    return made;
}

TEST(AddressTurnsTest, addresses_come_in_their_order) {
    net::AddressTurns turns(addresses(2), start + 10s);
    EXPECT_EQ(turns.next()->to_string(), "192.0.2.1");
    EXPECT_FALSE(turns.is_last());
    EXPECT_EQ(turns.next()->to_string(), "192.0.2.2");
    EXPECT_TRUE(turns.is_last());
    EXPECT_EQ(turns.next(), nullptr);
}

TEST(AddressTurnsTest, each_turn_has_a_fair_share_of_the_time_left) {
    net::AddressTurns turns(addresses(3), start + 9s);
    turns.next();
    EXPECT_EQ(turns.turn_ends(start), start + 3s);
    turns.next();
    EXPECT_EQ(turns.turn_ends(start + 1s), start + 5s);
    turns.next();
    EXPECT_EQ(turns.turn_ends(start + 5s), start + 9s);
}

TEST(AddressTurnsTest, past_the_deadline_no_time_is_left) {
    net::AddressTurns turns(addresses(2), start + 1s);
    turns.next();
    EXPECT_EQ(turns.turn_ends(start + 2s), start + 1s);
}

TEST(AddressTurnsTest, a_refusal_is_reported_before_a_missing_route) {
    net::AddressTurns turns(addresses(3), start + 1s);
    turns.failed(ENETUNREACH);
    EXPECT_EQ(turns.error_number(), ENETUNREACH);
    turns.failed(ECONNREFUSED);
    turns.failed(ENETUNREACH);
    turns.failed(ETIMEDOUT);
    EXPECT_EQ(turns.error_number(), ECONNREFUSED);
}

TEST(AddressTurnsTest, without_addresses_there_is_no_turn) {
    net::AddressTurns turns;
    EXPECT_EQ(turns.next(), nullptr);
    EXPECT_EQ(turns.error_number(), 0);
}

} // namespace
} // namespace docmap::test
