#include "core/api_token.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::core {
namespace {

TEST(ApiToken, MakesKeysOfTheRightForm) {
    std::array<unsigned char, 32> random{};
    random.front() = 0xab;
    const std::string key = make_api_key(random);
    EXPECT_EQ(key, "dm_live_ab" + std::string(62, '0'));
    EXPECT_TRUE(is_api_key(key));
}

TEST(ApiToken, RefusesOtherForms) {
    const std::string digits(64, 'a');
    EXPECT_TRUE(is_api_key("dm_live_" + digits));
    EXPECT_FALSE(is_api_key(""));
    EXPECT_FALSE(is_api_key("dm_live_"));
    EXPECT_FALSE(is_api_key(digits));
    EXPECT_FALSE(is_api_key("dm_test_" + digits));
    EXPECT_FALSE(is_api_key("dm_live_" + digits + "a"));
    EXPECT_FALSE(is_api_key("dm_live_" + digits.substr(1)));
    EXPECT_FALSE(is_api_key("dm_live_" + std::string(64, 'A')));
    EXPECT_FALSE(is_api_key("dm_live_" + std::string(63, 'a') + "g"));
}

} // namespace
} // namespace docmap::core
