#include "core/webhook_id.hpp"

#include <gtest/gtest.h>

namespace docmap::core {
namespace {

TEST(WebhookId, KnowsItsTextAndTheHashOfIt) {
    const WebhookId id(std::string("webhook-abc123def456"));
    EXPECT_EQ(id.text(), "webhook-abc123def456");
    EXPECT_EQ(id.hash(), WebhookId::hash_of("webhook-abc123def456"));
    EXPECT_EQ(WebhookId().hash(), WebhookId::hash_of(""));
}

TEST(WebhookId, AreTheSameWhereTheirTextsAre) {
    const WebhookId id(std::string("webhook-a"));
    EXPECT_EQ(id, WebhookId(std::string("webhook-a")));
    EXPECT_EQ(id, "webhook-a");
    EXPECT_FALSE(id == WebhookId(std::string("webhook-b")));
    EXPECT_FALSE(id == "webhook-b");
    EXPECT_FALSE(id.hash() == WebhookId::hash_of("webhook-b"));
}

} // namespace
} // namespace docmap::core
