#include "api/router.hpp"

#include <gtest/gtest.h>

namespace docmap::api {
namespace {

Router::Match match(http::verb method, const std::vector<std::string>& segments) {
    static const Router router({
        {http::verb::post, "/v1/webhooks", Authentication::bearer, Body::json, {}},
        {http::verb::get, "/v1/webhooks", Authentication::bearer, Body::ignored, {}},
        {http::verb::delete_, "/v1/webhooks/{id}", Authentication::bearer, Body::ignored, {}},
        {http::verb::get, "/v1/webhooks/deliveries", Authentication::bearer, Body::ignored, {}},
        {http::verb::get, "/health", Authentication::none, Body::ignored, {}},
    });
    return router.match(method, segments);
}

TEST(Router, FindsTheRouteByMethodAndPath) {
    const auto found = std::get<Router::Found>(match(http::verb::post, {"v1", "webhooks"}));
    EXPECT_EQ(found.route->path, "/v1/webhooks");
    EXPECT_EQ(found.route->method, http::verb::post);
    EXPECT_TRUE(found.parameters.empty());
}

TEST(Router, FillsParametersFromThePath) {
    const auto found = std::get<Router::Found>(match(http::verb::delete_, {"v1", "webhooks", "webhook-1"}));
    EXPECT_EQ(found.parameters.at("id"), "webhook-1");
}

TEST(Router, AnswersHeadByGet) {
    const auto found = std::get<Router::Found>(match(http::verb::head, {"health"}));
    EXPECT_EQ(found.route->method, http::verb::get);
}

TEST(Router, NamesTheMethodsOfAPath) {
    EXPECT_EQ(std::get<Router::WrongMethod>(match(http::verb::put, {"v1", "webhooks"})).allow,
              "GET, HEAD, POST");
    EXPECT_EQ(std::get<Router::WrongMethod>(match(http::verb::unknown, {"health"})).allow, "GET, HEAD");
}

TEST(Router, PrefersTheTemplateWithFewerParameters) {
    const auto found = std::get<Router::Found>(match(http::verb::get, {"v1", "webhooks", "deliveries"}));
    EXPECT_EQ(found.route->path, "/v1/webhooks/deliveries");
    EXPECT_EQ(
        std::get<Router::WrongMethod>(match(http::verb::delete_, {"v1", "webhooks", "deliveries"})).allow,
        "GET, HEAD");
}

TEST(Router, RefusesOtherPaths) {
    const std::vector<std::vector<std::string>> paths = {
        {}, {"v1"}, {"v1", "webhooks", ""}, {"v1", "webhooks", "a", "b"}, {"Health"}, {"", "health"}};
    for (const std::vector<std::string>& path : paths)
        EXPECT_TRUE(std::holds_alternative<Router::NoSuchPath>(match(http::verb::get, path)));
}

} // namespace
} // namespace docmap::api
