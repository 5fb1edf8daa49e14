#include "api/authenticator.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::api {
namespace {

const std::string key = "dm_live_" + std::string(64, 'a');

TEST(ApiKeyIn, FindsTheKeyBehindTheScheme) {
    EXPECT_EQ(api_key_in("Bearer " + key), key);
    EXPECT_EQ(api_key_in("bearer   " + key), key);
    EXPECT_EQ(api_key_in("Bearer dm_live_abc123def456ghi789jkl012mno345"),
              "dm_live_abc123def456ghi789jkl012mno345");
}

TEST(ApiKeyIn, RefusesOtherForms) {
    for (const std::string& text :
         {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Bearer   "), key,
          "Basic " + key, "Bearer" + key, "Bearer " + key + " ", "Bearer " + key + "," + key,
          std::string("Bearer dm_test_1"), "Bearer dm_live_" + std::string(200, 'a'),
          std::string("Bearer dm_live_\xc3\xa9"), std::string("Bearer dm_live_a\0b", 18),
          "Bearer \"" + key + '"'})
        EXPECT_EQ(api_key_in(text), std::nullopt) << text;
}

} // namespace
} // namespace docmap::api
