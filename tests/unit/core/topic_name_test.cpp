#include "core/topic_name.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

TEST(InternTopic, KeepsOneCopyOfEachName) {
    EXPECT_EQ(&intern_topic("same"), &intern_topic(std::string("same")));
    EXPECT_EQ(intern_topic("other"), "other");
}

} // namespace
} // namespace docmap::core
