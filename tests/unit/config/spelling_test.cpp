#include "config/spelling.hpp"

#include <gtest/gtest.h>

namespace docmap::config {
namespace {

const std::vector<std::string> names = {"timeout", "max_in_flight", "max_in_flight_per_endpoint", "url"};

TEST(Spelling, FindsTheNearestName) {
    EXPECT_EQ(nearest_name("timout", names), "timeout");
    EXPECT_EQ(nearest_name("timeuot", names), "timeout");
    EXPECT_EQ(nearest_name("max-in-flight", names), "max_in_flight");
    EXPECT_EQ(nearest_name("max_inflight", names), "max_in_flight");
    EXPECT_EQ(nearest_name("uri", names), "url");
}

TEST(Spelling, FindsNothingFarOff) {
    EXPECT_EQ(nearest_name("verbose", names), std::nullopt);
    EXPECT_EQ(nearest_name("", names), std::nullopt);
    EXPECT_EQ(nearest_name("timeout", {}), std::nullopt);
    EXPECT_EQ(nearest_name(std::string(101, 'a'), {std::string(101, 'a')}), std::nullopt);
}

} // namespace
} // namespace docmap::config
