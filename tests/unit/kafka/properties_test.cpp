#include "kafka/properties.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docmap::kafka {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string value_of(const config::Kafka& config, const char* name) {
    const auto configuration = make_configuration(config, queue_limits(4));
    if (!configuration) return "error: " + configuration.error().message;
    char text[512];
    std::size_t size = sizeof text;
    if (rd_kafka_conf_get(configuration->get(), name, text, &size) != RD_KAFKA_CONF_OK) return "unknown";
    return text;
}

config::Kafka with_property(const std::string& name, const std::string& value) {
    config::Kafka config;
    config.properties = {{name, value}};
    return config;
}

TEST(Properties, AKnownPropertyIsPassedOn) {
    EXPECT_THAT(validate_properties(with_property("session.timeout.ms", "6000")), IsEmpty());
    EXPECT_EQ(value_of(with_property("session.timeout.ms", "6000"), "session.timeout.ms"), "6000");
    EXPECT_EQ(value_of(with_property("fetch.wait.max.ms", "10"), "fetch.wait.max.ms"), "10");
    EXPECT_EQ(value_of(with_property("partition.assignment.strategy", "roundrobin"),
                       "partition.assignment.strategy"),
              "roundrobin");
}

TEST(Properties, AnUnknownPropertyIsNamed) {
    const auto errors = validate_properties(with_property("sesion.timeout.ms", "6000"));
    ASSERT_THAT(errors, SizeIs(1));
    EXPECT_THAT(errors[0].message, HasSubstr("kafka.properties.sesion.timeout.ms: no such property"));
    EXPECT_THAT(value_of(with_property("sesion.timeout.ms", "6000"), "client.id"),
                HasSubstr("sesion.timeout.ms"));
}

TEST(Properties, ABadValueIsNamed) {
    const auto errors = validate_properties(with_property("session.timeout.ms", "soon"));
    ASSERT_THAT(errors, SizeIs(1));
    EXPECT_THAT(errors[0].message, HasSubstr("session.timeout.ms"));
    EXPECT_THAT(errors[0].message, HasSubstr("soon"));
}

TEST(Properties, AValueThatMayBeSecretIsNotRepeated) {
    const auto errors = validate_properties(with_property("enable.sasl.oauthbearer.unsecure.jwt", "hush"));
    ASSERT_THAT(errors, SizeIs(1));
    EXPECT_THAT(errors[0].message, Not(HasSubstr("\"hush\"; ")));
    EXPECT_THAT(errors[0].message, Not(HasSubstr("it is")));
}

TEST(Properties, WhatThePromiseRestsOnCannotBeOverridden) {
    for (const char* name :
         {"enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset", "group.id",
          "bootstrap.servers", "metadata.broker.list", "statistics.interval.ms"}) {
        const auto errors = validate_properties(with_property(name, "true"));
        ASSERT_THAT(errors, SizeIs(1)) << name;
        EXPECT_THAT(errors[0].message, HasSubstr(std::string(name) + ": cannot be set: "));
    }
}

TEST(Properties, EveryProblemIsReported) {
    config::Kafka config;
    config.properties = {{"one", "1"}, {"session.timeout.ms", "6000"}, {"two", "2"}};
    EXPECT_THAT(validate_properties(config), SizeIs(2));
}

TEST(Properties, OffsetsAreNeverCommittedOrResetBehindOurBack) {
    const config::Kafka config;
    EXPECT_EQ(value_of(config, "enable.auto.commit"), "false");
    EXPECT_EQ(value_of(config, "enable.auto.offset.store"), "false");
    EXPECT_EQ(value_of(config, "partition.assignment.strategy"), "range");
    EXPECT_EQ(value_of(config, "client.id"), "docmap-webhookd");
    EXPECT_EQ(value_of(config, "group.id"), config.group_id);
    EXPECT_EQ(value_of(config, "bootstrap.servers"), config.brokers);
}

TEST(QueueLimits, AllPartitionsTogetherHoldWhatOneWouldHold) {
    EXPECT_EQ(queue_limits(1).kilobytes, 64u * 1024);
    EXPECT_EQ(queue_limits(1).messages, 100000u);
    EXPECT_EQ(queue_limits(12).kilobytes, 64u * 1024 / 12);
    EXPECT_EQ(queue_limits(12).messages, 8333u);
    EXPECT_EQ(queue_limits(0).kilobytes, queue_limits(1).kilobytes);
}

TEST(QueueLimits, OneFetchDoesNotExceedTheQueueByMuch) {
    EXPECT_EQ(queue_limits(12).fetch_message_bytes, 1024u * 1024);
    EXPECT_EQ(queue_limits(256).fetch_message_bytes, 256u * 1024);
    EXPECT_EQ(queue_limits(100000).kilobytes, 64u);
    EXPECT_EQ(queue_limits(100000).messages, 1000u);
    EXPECT_TRUE(make_configuration(config::Kafka{}, queue_limits(100000)).has_value());
}

TEST(Assignor, CooperativeStickyIsWarnedOfBeforeItsRepair) {
    const config::Kafka cooperative = with_property("partition.assignment.strategy", "cooperative-sticky");
    EXPECT_THAT(assignor_warning(cooperative, 0x020002ff), HasSubstr("cooperative-sticky"));
    EXPECT_THAT(assignor_warning(cooperative, 0x020900ff), IsEmpty());
    EXPECT_THAT(assignor_warning(config::Kafka{}, 0x020002ff), IsEmpty());
}

} // namespace
} // namespace docmap::kafka
