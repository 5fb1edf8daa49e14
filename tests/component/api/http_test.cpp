// What the server makes of HTTP/1.1 as clients send it, good and bad.
#include "component/api/server_fixture.hpp"

#include <gmock/gmock.h>

namespace docmap::test {
namespace {

using testing::HasSubstr;

class HttpTest : public ServerTest {
  protected:
    HttpTest() {
        config.max_body_bytes = 1000;
        start();
    }

    /// The answer to `bytes` on a connection of its own, which the server must close.
    RawResponse refusal(const std::string& bytes) {
        RawClient client(port);
        client.send(bytes);
        RawResponse response = client.read_response();
        EXPECT_EQ(response.headers["connection"], "close");
        EXPECT_TRUE(client.is_closed_by_server());
        return response;
    }
};

TEST_F(HttpTest, KeepsTheConnectionAlive) {
    RawClient client(port);
    for (int i = 0; i < 3; ++i) {
        client.send(request("POST /v1/webhooks", webhook_json));
        RawResponse response = client.read_response();
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.headers["content-type"], "application/json; charset=utf-8");
        EXPECT_EQ(response.headers["server"], "docmap-webhookd");
        EXPECT_EQ(response.headers["cache-control"], "no-store");
        EXPECT_EQ(response.headers.count("connection"), 0U);
    }
    EXPECT_EQ(webhooks.secrets().size(), 3U);
    EXPECT_EQ(changes.changes().size(), 3U);
}

TEST_F(HttpTest, AnswersRequestsSentAheadInOrder) {
    RawClient client(port);
    client.send(request("GET /health") + request("POST /v1/webhooks", webhook_json) +
                request("GET /nothing") + request("GET /v1/webhooks", {}, "Connection: close\r\n"));
    EXPECT_EQ(client.read_response().body, R"({"status":"ok"})");
    EXPECT_THAT(client.read_response().body, HasSubstr("secret"));
    EXPECT_EQ(client.read_response().status, 404);
    EXPECT_THAT(client.read_response().body, HasSubstr("webhook-000000000001"));
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(HttpTest, TakesARequestInPieces) {
    RawClient client(port);
    for (const char byte : request("POST /v1/webhooks", webhook_json))
        client.send(std::string(1, byte));
    EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(HttpTest, AnswersHeadWithoutABody) {
    RawClient client(port);
    client.send(request("HEAD /health") + request("GET /health"));
    RawResponse head = client.read_response(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers["content-length"], "15");
    EXPECT_EQ(client.read_response().body, R"({"status":"ok"})");
}

TEST_F(HttpTest, ServesHttp10) {
    RawClient client(port);
    client.send("GET /health HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(HttpTest, TakesChunkedBodies) {
    RawClient client(port);
    const std::string head =
        request("POST /v1/webhooks", {}, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    client.send(head + "a;ext=1\r\n" + webhook_json.substr(0, 10) + "\r\n");
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", webhook_json.size() - 10);
    client.send(size.data() + webhook_json.substr(10) + "\r\n0\r\nTrailer: 1\r\n\r\n" +
                request("GET /health"));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(client.read_response().body, R"({"status":"ok"})");
}

TEST_F(HttpTest, SendsContinueWhereItIsExpected) {
    RawClient client(port);
    const std::string length = std::to_string(webhook_json.size());
    const std::string more =
        "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: " + length + "\r\n";
    client.send(request("POST /v1/webhooks", {}, more));
    EXPECT_EQ(client.read_response().status, 100);
    client.send(webhook_json);
    EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(HttpTest, RefusesWithoutContinueWhatItDoesNotWant) {
    RawResponse response =
        refusal("POST /v1/webhooks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n");
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.headers["www-authenticate"], "Bearer");
}

TEST_F(HttpTest, RefusesBodiesOverTheLimit) {
    const std::string large = "{\"url\":\"" + std::string(200'000, 'a') + "\"}";
    const RawResponse declared = refusal(request("POST /v1/webhooks", large));
    EXPECT_EQ(declared.status, 413);
    EXPECT_THAT(declared.body, HasSubstr(R"("code":"PAYLOAD_TOO_LARGE")"));
    EXPECT_THAT(declared.body, HasSubstr("1000 bytes"));

    const std::string chunk = "190\r\n" + std::string(400, ' ') + "\r\n";
    const std::string head =
        request("POST /v1/webhooks", {}, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    EXPECT_EQ(refusal(head + chunk + chunk + chunk + "0\r\n\r\n").status, 413);
    EXPECT_EQ(refusal(head + "ffffffffff\r\n").status, 413);
    EXPECT_TRUE(webhooks.secrets().empty());
}

TEST_F(HttpTest, RefusesHeadersOverTheLimit) {
    RawResponse response =
        refusal(request("GET /health", {}, "X-Long: " + std::string(20'000, 'a') + "\r\n"));
    EXPECT_EQ(response.status, 431);
    EXPECT_THAT(response.body, HasSubstr("16384 bytes"));
    EXPECT_EQ(refusal("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n").status, 431);
    RawClient client(port);
    client.send(request("GET /health", {}, "X-Long: " + std::string(15'000, 'a') + "\r\n"));
    EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(HttpTest, RefusesWhatIsNotHttp) {
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    for (const std::string& bytes :
         {std::string("nonsense\r\n\r\n"), std::string("GET /health HTTP/2.0\r\nHost: a\r\n\r\n"),
          std::string("GET /health HTTP/1.1\r\n\r\n"),
          std::string("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
          std::string("GET /health HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n"),
          std::string("GET health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
          std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
          request("POST /v1/webhooks", webhook_json, chunked),
          request("POST /v1/webhooks", {}, "Content-Length: 1\r\nContent-Length: 2\r\n"),
          request("POST /v1/webhooks", {}, "Content-Length: -1\r\n"),
          request("POST /v1/webhooks", {}, "Transfer-Encoding: gzip\r\n"),
          request("POST /v1/webhooks", {}, "Transfer-Encoding: chunked, gzip\r\n"),
          request("POST /v1/webhooks", {}, "Content-Type: application/json\r\n" + chunked) + "zz\r\n"}) {
        RawResponse response = refusal(bytes);
        EXPECT_EQ(response.status, 400) << bytes;
        EXPECT_THAT(response.body, HasSubstr(R"("code":"VALIDATION_ERROR")"));
    }
}

TEST_F(HttpTest, IgnoresTheBodyOfACallThatTakesNone) {
    RawClient client(port);
    client.send(request("GET /v1/webhooks", "not json") + request("GET /health"));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_EQ(client.read_response().body, R"({"status":"ok"})");
}

TEST_F(HttpTest, SurvivesClientsThatLeave) {
    {
        RawClient in_head(port);
        in_head.send("GET /health HT");
        RawClient in_body(port);
        const std::string text = request("POST /v1/webhooks", webhook_json);
        in_body.send(text.substr(0, text.size() - 5));
        in_body.shut_down_sending();
        EXPECT_TRUE(in_body.is_closed_by_server());
        RawClient silent(port);
    }
    RawClient client(port);
    client.send(request("GET /health"));
    EXPECT_EQ(client.read_response().status, 200);
    EXPECT_TRUE(webhooks.secrets().empty());
}

} // namespace
} // namespace docmap::test
