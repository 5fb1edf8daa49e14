// The application over ports kept in memory, asked without a socket.
#pragma once

#include "api/application.hpp"
#include "support/api_doubles.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace docmap::api {

/// A body that is there already.
class StringBody final : public BodyReader {
  public:
    explicit StringBody(std::string text) : text_(std::move(text)) {}

    boost::asio::awaitable<ApiResult<std::string>> read() override {
        was_read = true;
        co_return text_;
    }

    bool was_read = false;

  private:
    std::string text_;
};

class ApplicationTest : public testing::Test {
  protected:
    ApplicationTest() {
        keys.add(key, "uid_1");
        keys.add(other_key, "uid_2");
    }

    using Head = Application::RequestHead;

    static Head head(http::verb method, const std::string& target, const std::string& api_key = key) {
        Head result;
        result.method(method);
        result.target(target);
        if (!api_key.empty()) result.set(http::field::authorization, "Bearer " + api_key);
        if (method == http::verb::post) result.set(http::field::content_type, "application/json");
        return result;
    }

    Response ask(const Head& request, const std::string& body = {}) {
        StringBody reader(body);
        boost::asio::io_context context;
        auto answer =
            boost::asio::co_spawn(context, application.answer(request, reader), boost::asio::use_future);
        context.run();
        body_was_read = reader.was_read;
        return answer.get();
    }

    Response get(const std::string& target, const std::string& api_key = key) {
        return ask(head(http::verb::get, target, api_key));
    }

    Response create(const std::string& url, const std::string& api_key = key) {
        return ask(head(http::verb::post, "/v1/webhooks", api_key),
                   R"({"url":")" + url + R"(","events":["extraction.completed","extraction.failed"]})");
    }

    static std::string code(const Response& response) {
        return std::string(boost::json::parse(response.body).at("error").at("code").as_string());
    }

    static std::string message(const Response& response) {
        return std::string(boost::json::parse(response.body).at("error").at("message").as_string());
    }

    static std::string header(const Response& response, http::field name) {
        for (const Header& entry : response.headers)
            if (entry.name == name) return entry.value;
        return {};
    }

    static inline const std::string key = "dm_live_" + std::string(64, '1');
    static inline const std::string other_key = "dm_live_" + std::string(64, '2');

    test::InMemoryKeys keys;
    test::InMemoryWebhooks webhooks;
    test::InMemoryDeliveries deliveries;
    test::RecordedChanges changes;
    base::HealthBoard health;
    base::Metrics metrics;
    core::AddressPolicy policy;
    Application application{Services{webhooks, deliveries, keys, changes, health, metrics, policy, false}};
    bool body_was_read = false;
};

} // namespace docmap::api
