// API keys: made on the command line, looked up by the API.
#include "core/sha256.hpp"
#include "harness.hpp"
#include "store/api_keys_admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <regex>

namespace docmap::store {
namespace {

using test::Instance;
using test::Schema;
using test::TestDatabase;
using testing::HasSubstr;
using testing::Not;

class ApiKeys : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(instance_.become_ready()); }

    base::Result<CreatedApiKey> create(NewApiKey key = {"uid_1", "test", {}, {}}) {
        return create_api_key(database_.settings(), key);
    }
    /// The user the API takes the key for; empty where it refuses the key.
    std::string user_of(const std::string& key) {
        const auto found = instance_.loop().wait(instance_.store().api_keys().find_user(core::sha256(key)));
        if (found.has_value()) return *found;
        EXPECT_EQ(found.error(), ports::RepositoryError::not_found);
        return "";
    }

    TestDatabase database_{Schema::current};
    Instance instance_{database_.settings()};
};

TEST_F(ApiKeys, ACreatedKeyNamesItsUserAndIsStoredAsAHashOnly) {
    const CreatedApiKey created = create().value();
    EXPECT_TRUE(std::regex_match(created.key, std::regex("dm_live_[0-9a-f]{64}")));
    EXPECT_TRUE(std::regex_match(created.view.id, std::regex("key-[a-z0-9]{12}")));
    EXPECT_FALSE(created.view.expires_at.has_value());
    EXPECT_EQ(user_of(created.key), "uid_1");
    EXPECT_EQ(user_of("dm_live_" + std::string(64, '0')), "");
    EXPECT_EQ(database_.count("api_keys WHERE api_keys::text LIKE '%" + created.key.substr(8) + "%'"), 0);
}

TEST_F(ApiKeys, ARevokedKeyIsRefused) {
    const CreatedApiKey created = create().value();
    ASSERT_TRUE(revoke_api_key(database_.settings(), created.view.id).has_value());
    EXPECT_EQ(user_of(created.key), "");
    EXPECT_TRUE(revoke_api_key(database_.settings(), created.view.id).has_value());
    EXPECT_THAT(revoke_api_key(database_.settings(), "key-none").error().message,
                HasSubstr("no API key has the id \"key-none\""));
}

TEST_F(ApiKeys, AnExpiredKeyIsRefused) {
    const CreatedApiKey created = create({"uid_1", "", parse_key_lifetime("30d").value(), {}}).value();
    ASSERT_TRUE(created.view.expires_at.has_value());
    EXPECT_EQ(*created.view.expires_at - created.view.created_at, std::chrono::days{30});
    EXPECT_EQ(user_of(created.key), "uid_1");
    database_.execute("UPDATE api_keys SET expires_at = now() - interval '1 second'");
    EXPECT_EQ(user_of(created.key), "");
}

TEST_F(ApiKeys, LifetimesAreTheOnesOfTheApi) {
    EXPECT_EQ(parse_key_lifetime("60d").value().days, std::chrono::days{60});
    EXPECT_EQ(parse_key_lifetime("90d").value().days, std::chrono::days{90});
    EXPECT_EQ(parse_key_lifetime("1y").value().days, std::chrono::days{365});
    EXPECT_EQ(parse_key_lifetime("never").value().days, std::nullopt);
    EXPECT_THAT(parse_key_lifetime("31d").error().message, HasSubstr("expected 30d, 60d, 90d, 1y or never"));
}

TEST_F(ApiKeys, AUserHasTenValidOnes) {
    std::vector<std::future<base::Result<CreatedApiKey>>> calls;
    for (int i = 0; i < 20; ++i)
        calls.push_back(std::async(std::launch::async, [this] { return create(); }));
    std::vector<std::string> ids;
    for (auto& call : calls) {
        const auto result = call.get();
        if (result.has_value())
            ids.push_back(result->view.id);
        else
            EXPECT_THAT(result.error().message,
                        HasSubstr("MAX_KEYS_REACHED: user uid_1 has 10 valid API keys"));
    }
    ASSERT_EQ(ids.size(), 10U);
    EXPECT_TRUE(create({"uid_2", "", {}, {}}).has_value());
    ASSERT_TRUE(revoke_api_key(database_.settings(), ids[0]).has_value());
    EXPECT_TRUE(create().has_value());
}

TEST_F(ApiKeys, AnExistingKeyCanBeImportedOnce) {
    const std::string key = "dm_live_" + std::string(64, 'b');
    EXPECT_EQ(create({"uid_1", "", {}, key}).value().key, key);
    EXPECT_EQ(user_of(key), "uid_1");
    EXPECT_THAT(create({"uid_2", "", {}, key}).error().message, HasSubstr("stored already"));
    const auto malformed = create({"uid_1", "", {}, "dm_live_secret"});
    EXPECT_THAT(malformed.error().message, HasSubstr("expected dm_live_ and 64"));
    EXPECT_THAT(malformed.error().message, Not(HasSubstr("dm_live_secret")));
}

TEST_F(ApiKeys, AreListedPerUserOrAllTogether) {
    create({"uid_1", "first", {}, {}}).value();
    const std::string revoked = create({"uid_2", "second", {}, {}}).value().view.id;
    ASSERT_TRUE(revoke_api_key(database_.settings(), revoked).has_value());
    EXPECT_EQ(list_api_keys(database_.settings(), "").value().size(), 2U);
    const auto keys = list_api_keys(database_.settings(), "uid_2").value();
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys[0].name, "second");
    EXPECT_TRUE(keys[0].revoked_at.has_value());
}

TEST_F(ApiKeys, AnEmptyUserAndAMissingSchemaAreRefused) {
    EXPECT_THAT(create({"", "", {}, {}}).error().message, HasSubstr("user: expected 1 to 128"));
    const TestDatabase empty;
    EXPECT_THAT(create_api_key(empty.settings(), {"uid_1", "", {}, {}}).error().message,
                HasSubstr("run docmap-webhookd migrate"));
}

} // namespace
} // namespace docmap::store
