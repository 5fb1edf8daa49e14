#include "core/verdict.hpp"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>

namespace docmap::core {
namespace {

using Statuses = std::initializer_list<std::uint16_t>;

struct VerdictCase {
    std::uint16_t http_status;
    std::string_view transport_error;
    bool success;
    std::string_view error;
};

TEST(Verdict, JudgesStatusAndTransportError) {
    const std::array cases = {
        VerdictCase{200, "", true, ""},
        VerdictCase{204, "", true, ""},
        VerdictCase{299, "", true, ""},
        VerdictCase{200, "Invalid HTTP response: a chunk has no size", true, ""},
        VerdictCase{199, "", false, "HTTP 199"},
        VerdictCase{300, "", false, "HTTP 300 Multiple Choices"},
        VerdictCase{301, "", false, "HTTP 301 Moved Permanently"},
        VerdictCase{404, "", false, "HTTP 404 Not Found"},
        VerdictCase{410, "", false, "HTTP 410 Gone"},
        VerdictCase{500, timeout_error, false, "HTTP 500 Internal Server Error"},
        VerdictCase{503, "", false, "HTTP 503 Service Unavailable"},
        VerdictCase{599, "", false, "HTTP 599"},
        VerdictCase{999, "", false, "HTTP 999"},
        VerdictCase{0, timeout_error, false, "The operation was aborted due to timeout"},
        VerdictCase{0, "Connection refused", false, "Connection refused"},
        VerdictCase{0, "", false, "No response came"},
    };
    for (const VerdictCase& expected : cases) {
        const Verdict verdict = judge(expected.http_status, expected.transport_error);
        EXPECT_EQ(verdict.success, expected.success) << expected.http_status;
        EXPECT_EQ(verdict.error, expected.error) << expected.http_status;
    }
}

TEST(Verdict, TellsHowTheEndpointIs) {
    for (const std::uint16_t status :
         Statuses{100, 199, 200, 204, 299, 301, 399, 400, 404, 410, 428, 430, 499})
        EXPECT_EQ(judge(status, "").answer, EndpointAnswer::healthy) << status;
    for (const std::uint16_t status : Statuses{500, 501, 502, 504, 599, 600, 999})
        EXPECT_EQ(judge(status, "").answer, EndpointAnswer::failing) << status;
    for (const std::uint16_t status : Statuses{429, 503})
        EXPECT_EQ(judge(status, "").answer, EndpointAnswer::overloaded) << status;
    EXPECT_EQ(judge(0, timeout_error).answer, EndpointAnswer::overloaded);
    EXPECT_EQ(judge(0, "Connection refused").answer, EndpointAnswer::failing);
    EXPECT_EQ(judge(0, "").answer, EndpointAnswer::failing);
    EXPECT_EQ(judge(0, "Blocked: 10.0.0.7 is a private address", true).answer, EndpointAnswer::unknown);
}

TEST(Verdict, LetsAStatusOutweighAnErrorAfterIt) {
    EXPECT_EQ(judge(200, timeout_error).answer, EndpointAnswer::healthy);
    EXPECT_EQ(judge(404, timeout_error).answer, EndpointAnswer::healthy);
    EXPECT_EQ(judge(500, timeout_error).answer, EndpointAnswer::failing);
    EXPECT_EQ(judge(503, "Connection reset").answer, EndpointAnswer::overloaded);
}

TEST(Verdict, KeepsTheReasonOfALocalRefusal) {
    const Verdict verdict = judge(0, "Blocked: 10.0.0.7 is a private address", true);
    EXPECT_FALSE(verdict.success);
    EXPECT_EQ(verdict.error, "Blocked: 10.0.0.7 is a private address");
}

TEST(Verdict, KnowsTheRegisteredReasonPhrases) {
    // 306 and 418 are registered as unused.
    unsigned known = 0;
    for (unsigned status = 0; status < 1000; ++status) {
        const std::string_view phrase = reason_phrase(status);
        if (phrase.empty()) continue;
        ++known;
        EXPECT_GE(status, 100U);
        EXPECT_LE(status, 511U);
        EXPECT_TRUE(phrase.front() >= 'A' && phrase.front() <= 'Z') << phrase;
    }
    EXPECT_EQ(known, 62U);
    EXPECT_TRUE(reason_phrase(306).empty());
    EXPECT_TRUE(reason_phrase(418).empty());
}

} // namespace
} // namespace docmap::core
