#include "core/subscription_cache.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

TEST(SubscriptionCache, FindsWhatWasInserted) {
    SubscriptionCache cache(10);
    EXPECT_EQ(cache.find("u1"), nullptr);
    cache.insert("u1", {test::make_webhook("webhook-a")});
    cache.insert("u2", {});
    ASSERT_NE(cache.find("u1"), nullptr);
    EXPECT_EQ(cache.find("u1")->size(), 1U);
    ASSERT_NE(cache.find("u2"), nullptr);
    EXPECT_TRUE(cache.find("u2")->empty());
}

TEST(SubscriptionCache, ANewValueTakesThePlaceOfTheOld) {
    SubscriptionCache cache(10);
    cache.insert("u1", {test::make_webhook("webhook-a")});
    cache.insert("u1", {});
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_TRUE(cache.find("u1")->empty());
}

TEST(SubscriptionCache, ForgetsTheLeastRecentlyUsed) {
    SubscriptionCache cache(2);
    cache.insert("u1", {});
    cache.insert("u2", {});
    cache.find("u1");
    cache.insert("u3", {});
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_NE(cache.find("u1"), nullptr);
    EXPECT_EQ(cache.find("u2"), nullptr);
    EXPECT_NE(cache.find("u3"), nullptr);
}

TEST(SubscriptionCache, ManyMayBeLookedUpBeforeTheFirstIsRead) {
    SubscriptionCache cache(10);
    cache.insert("u1", {test::make_webhook("webhook-a")});
    cache.insert("u2", {});
    auto first = cache.place_of("u1");
    auto second = cache.place_of("u2");
    auto unknown = cache.place_of("u3");
    for (auto* place : {&first, &second, &unknown})
        cache.look_up(*place);
    EXPECT_EQ(cache.find(first, "u1")->front()->id, "webhook-a");
    EXPECT_TRUE(cache.find(second, "u2")->empty());
    EXPECT_EQ(cache.find(unknown, "u3"), nullptr);
    EXPECT_EQ(cache.find(first, "u3"), nullptr) << "whatever their hashes are, another user is another user";
}

TEST(SubscriptionCache, ErasesOneAndAll) {
    SubscriptionCache cache(10);
    cache.insert("u1", {});
    cache.insert("u2", {});
    cache.erase("u1");
    cache.erase("unknown");
    EXPECT_EQ(cache.find("u1"), nullptr);
    EXPECT_NE(cache.find("u2"), nullptr);
    cache.clear();
    EXPECT_EQ(cache.size(), 0U);
}

} // namespace
} // namespace docmap::core
