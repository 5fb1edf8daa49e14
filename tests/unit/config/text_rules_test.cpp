#include "config/text_rules.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docmap::config {
namespace {

void expect_accepted(const TextRule& rule, std::string_view text) {
    EXPECT_EQ(rule.check(text), std::nullopt) << text;
}

void expect_refused(const TextRule& rule, std::string_view text) {
    EXPECT_TRUE(rule.check(text)) << text;
}

TEST(TextRules, Brokers) {
    for (const char* text : {"localhost", "127.0.0.1:9092", "a.example:9092, b_1.example:9092", "[::1]:9092",
                             "SASL_SSL://kafka.example:9093"})
        expect_accepted(a_broker_list, text);
    for (const char* text : {"", " ", "a:9092,", "localhost:", "localhost:0", "localhost:70000",
                             "localhost:x", "a b", ":9092", "::1", "[::1", "http://kafka/x"})
        expect_refused(a_broker_list, text);
    EXPECT_EQ(*a_broker_list.check("a:9092, b:x"),
              "\"b:x\" is not a broker's address; write host:port, several separated by commas");
}

TEST(TextRules, GroupIds) {
    expect_accepted(a_group_id, "docmap-webhookd");
    expect_accepted(a_group_id, std::string(255, 'a'));
    for (const std::string& text : {std::string(), std::string(256, 'a'), std::string("a\nb")})
        expect_refused(a_group_id, text);
}

TEST(TextRules, Topics) {
    expect_accepted(a_topic, "extraction.completed");
    expect_accepted(a_topic, "Extraction_Completed-2");
    expect_accepted(a_topic, std::string(249, 'a'));
    for (const std::string& text : {std::string(), std::string("."), std::string(".."), std::string("a b"),
                                    std::string("^extraction.*"), std::string("ä"), std::string(250, 'a')})
        expect_refused(a_topic, text);
}

TEST(TextRules, PostgresUrls) {
    for (const char* text :
         {"postgresql:///docmap", "postgres://user:p%40ss@db.example:5432/docmap?sslmode=verify-full",
          "dbname=docmap", "host = db.example dbname='doc map' password='it\\'s'", " user=a\tdbname=b ",
          "password= dbname=a"})
        expect_accepted(a_postgres_url, text);
    for (const char* text : {"", " ", "docmap", "mysql://a/b", "postgresql:// a", "dbname", "dbname 'a'",
                             "=a", "password='hunter2", "host=a hunter2", "password=hunter2\\"})
        expect_refused(a_postgres_url, text);
    EXPECT_EQ(a_postgres_url.check("postgresql//user:hunter2@db/x")->find("hunter2"), std::string::npos);
}

TEST(TextRules, Networks) {
    expect_accepted(a_network, "10.0.0.0/8");
    expect_accepted(a_network, "fd00::/8");
    expect_refused(a_network, "10.0.0.0/33");
    expect_refused(a_network, "intranet");
}

TEST(TextRules, Files) {
    expect_accepted(a_file, "");
    expect_accepted(a_file, "/etc/ssl/my ca.pem");
    expect_refused(a_file, "/etc/ssl\n");
}

TEST(TextRules, ListenAddresses) {
    const auto v4 = parse_listen_address("127.0.0.1:8080").value();
    EXPECT_EQ(v4.address, "127.0.0.1");
    EXPECT_EQ(v4.port, 8080);
    const auto v6 = parse_listen_address("[::]:0").value();
    EXPECT_EQ(v6.address, "::");
    EXPECT_EQ(v6.port, 0);

    expect_accepted(a_listen_address, "0.0.0.0:65535");
    for (const char* text :
         {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "localhost:8080", "::1:8080",
          "[127.0.0.1]:80", "[]:80", "[::1]", "127.0.0.1:80a"})
        expect_refused(a_listen_address, text);
}

} // namespace
} // namespace docmap::config
