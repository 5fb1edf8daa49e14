#include "kafka/health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr base::SteadyTime now{1h};

std::string text_of(const Health& health, base::SteadyTime at) {
    const Problem problem = health.problem(at);
    EXPECT_EQ(problem.kind == ProblemKind::none, problem.text.empty());
    return problem.text;
}

TEST(Health, IsNotReadyBeforeTheGroupIsJoined) {
    Health health;
    EXPECT_EQ(text_of(health, now), "joining the consumer group");
    health.on_joined();
    EXPECT_THAT(text_of(health, now), IsEmpty());
}

TEST(Health, NamesWhyTheBrokersAreDown) {
    Health health;
    health.on_joined();
    health.on_connection_failed(
        "127.0.0.1:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused "
        "(after 0ms in state CONNECT, 2 identical error(s) suppressed)");
    EXPECT_THAT(text_of(health, now), IsEmpty()) << "other brokers may serve";
    health.on_all_brokers_down("1/1 brokers are down");
    EXPECT_EQ(text_of(health, now), "all brokers are down: 127.0.0.1:9092/bootstrap: Connect to "
                                    "ipv4#127.0.0.1:9092 failed: Connection refused");
    health.on_broker_up();
    EXPECT_THAT(text_of(health, now), IsEmpty());
    health.on_all_brokers_down("1/1 brokers are down");
    EXPECT_EQ(text_of(health, now), "all brokers are down: 1/1 brokers are down");
}

TEST(Health, AFailedAuthenticationIsOverWithTheFirstAnswer) {
    Health health;
    health.on_authentication_failed(
        "sasl_plaintext://b:9092: Authentication failed (after 5ms in state AUTH)");
    health.on_all_brokers_down("1/1 brokers are down");
    EXPECT_EQ(text_of(health, now), "authentication failed: sasl_plaintext://b:9092: Authentication failed");
    health.on_broker_up();
    health.on_joined();
    EXPECT_THAT(text_of(health, now), IsEmpty());
}

TEST(Health, AShortRebalanceIsNoProblem) {
    Health health;
    health.on_joined();
    health.on_left(now);
    EXPECT_THAT(text_of(health, now + Health::rebalance_tolerance), IsEmpty());
    EXPECT_EQ(text_of(health, now + Health::rebalance_tolerance + 1ms), "the consumer group is rebalancing");
    health.on_group_problem("JoinGroup failed: Broker: Group authorization failed");
    EXPECT_THAT(text_of(health, now), HasSubstr("Group authorization failed"));
    health.on_joined();
    EXPECT_THAT(text_of(health, now + 1h), IsEmpty());
}

TEST(Health, NamesTopicsThatCannotBeRead) {
    Health health;
    health.on_joined();
    health.set_topic_problem("b", "does not exist");
    health.set_topic_problem("a", "Broker: Topic authorization failed");
    EXPECT_EQ(text_of(health, now), "topic a: Broker: Topic authorization failed; topic b: does not exist");
    health.clear_topic_problem("a");
    EXPECT_EQ(text_of(health, now), "topic b: does not exist");
    health.clear_topic_problem("b");
    EXPECT_THAT(text_of(health, now), IsEmpty());
}

TEST(Health, NamesHeldPartitionsUntilTheyAreGone) {
    Health health;
    health.on_joined();
    health.hold_partition("a", 2, "topic a partition 2 is held back");
    EXPECT_EQ(text_of(health, now), "topic a partition 2 is held back");
    health.hold_partition("a", 3, "topic a partition 3 is held back");
    EXPECT_EQ(text_of(health, now), "topic a partition 2 is held back (and 1 more)");
    health.forget_partition("a", 2);
    health.forget_partition("a", 3);
    EXPECT_THAT(text_of(health, now), IsEmpty());
}

TEST(Health, AnAssignmentWithoutItsStartIsNotReady) {
    Health health;
    health.set_start_problem("the committed offsets cannot be read: Broker: Not coordinator");
    EXPECT_THAT(text_of(health, now), HasSubstr("Not coordinator"));
    health.on_joined();
    EXPECT_THAT(text_of(health, now), IsEmpty());
}

TEST(Health, AFatalErrorIsForGood) {
    Health health;
    health.on_fatal("the Kafka consumer cannot go on: fenced");
    health.on_joined();
    EXPECT_EQ(text_of(health, now), "the Kafka consumer cannot go on: fenced");
}

} // namespace
} // namespace docmap::kafka
