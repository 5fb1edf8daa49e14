#include "api/cursor.hpp"
#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <span>
#include <string>

namespace docmap::api {
namespace {

std::string hex(std::string_view text) {
    return base::to_hex(std::span(reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

TEST(Cursor, ComesBackAsItWas) {
    for (const std::int64_t milliseconds : {0LL, 1'737'383'403'512LL, 253'402'300'799'999LL}) {
        const Cursor cursor{base::SystemTime(std::chrono::milliseconds(milliseconds)), "0abc-XYZ_9"};
        EXPECT_EQ(decode_cursor(encode_cursor(cursor)), cursor);
    }
}

TEST(Cursor, GoesIntoAUrlAsItIs) {
    const std::string text = encode_cursor({base::SystemTime(std::chrono::milliseconds(1)), "id"});
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos);
}

TEST(Cursor, RefusesWhatIsNone) {
    for (const std::string& text :
         {std::string(), std::string("abc"), std::string("zz"), hex("1"), hex("1:"), hex(":id"), hex("x:id"),
          hex("-1:id"), hex("253402300800000:id"), hex("99999999999999999999:id"), hex("1:i'd"),
          hex("1:" + std::string(200, 'a')), hex(" 1:id"), "3A" + hex("1:id")})
        EXPECT_EQ(decode_cursor(text), std::nullopt) << text;
}

} // namespace
} // namespace docmap::api
