#include "config/master_key.hpp"
#include "temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace docmap::config {
namespace {

const std::string digits = "00" + std::string(60, 'a') + "Ff";

TEST(MasterKey, IsReadFromItsFile) {
    const TemporaryFolder folder;
    for (const char* ending : {"", "\n", "\r\n"}) {
        const auto key = read_master_key({folder.write("key", digits + ending)}, {});
        ASSERT_TRUE(key);
        EXPECT_EQ(key->front(), 0x00);
        EXPECT_EQ((*key)[1], 0xaa);
        EXPECT_EQ(key->back(), 0xff);
    }
}

TEST(MasterKey, IsReadFromTheCredentialWhereNoFileIsNamed) {
    const TemporaryFolder folder;
    folder.write("master-key", std::string(64, '1'));
    const Environment environment = {{"CREDENTIALS_DIRECTORY", folder.path().string()}};
    EXPECT_EQ(read_master_key({}, environment)->front(), 0x11);
    EXPECT_EQ(read_master_key({folder.write("other", std::string(64, '2'))}, environment)->front(), 0x22);
}

TEST(MasterKey, ThatIsMissingIsExplained) {
    const auto key = read_master_key({}, {});
    ASSERT_FALSE(key);
    EXPECT_EQ(
        key.error().message,
        "secrets.master_key_file: no master key to encrypt signing secrets with; make one with \"openssl "
        "rand "
        "-hex 32 > master.key\" and name the file here, or pass it as the systemd credential \"master-key\"");

    const TemporaryFolder folder;
    EXPECT_FALSE(read_master_key({}, {{"CREDENTIALS_DIRECTORY", folder.path().string()}}));
    EXPECT_FALSE(read_master_key({}, {{"CREDENTIALS_DIRECTORY", ""}}));
}

TEST(MasterKey, OfAnotherFormIsRefusedWithoutShowingIt) {
    const TemporaryFolder folder;
    for (const std::string& text :
         {std::string(), std::string(63, 'a'), std::string(62, 'a'), std::string(66, 'a'),
          std::string(63, 'a') + "g", std::string(64, 'a') + "\n\n"}) {
        const std::string file = folder.write("key", text);
        const auto key = read_master_key_file(file);
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().message,
                  file +
                      " holds no master key; it must be 64 hex characters, as made by: openssl rand -hex 32");
    }
    EXPECT_EQ(read_master_key_file("/nonexistent/key").error().message,
              "/nonexistent/key cannot be read: No such file or directory");
}

TEST(MasterKey, ThatEveryoneMayReadIsWarnedAbout) {
    const TemporaryFolder folder;
    const std::string file = folder.write("key", digits);

    std::filesystem::permissions(file, std::filesystem::perms(0644));
    testing::internal::CaptureStderr();
    EXPECT_TRUE(read_master_key({file}, {}));
    EXPECT_NE(testing::internal::GetCapturedStderr().find("everyone on this machine can read the master key"),
              std::string::npos);

    std::filesystem::permissions(file, std::filesystem::perms(0640));
    testing::internal::CaptureStderr();
    EXPECT_TRUE(read_master_key({file}, {}));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
} // namespace docmap::config
