// The table of calls, and which of them a request means. Immutable after construction; the API's thread.
#pragma once

#include "api/response.hpp"
#include "api/target.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/verb.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace docmap::api {

using PathParameters = std::map<std::string, std::string, std::less<>>;

/// A request that was let in, as a handler sees it.
struct Call {
    PathParameters path; ///< by the name in the template: `id`
    QueryParameters query;
    std::string user_id; ///< empty where the route needs no authentication
    std::string body;
};

/// The call stays in place until the handler has ended.
using Handler = std::function<boost::asio::awaitable<ApiResult<Response>>(const Call&)>;

enum class Authentication { none, bearer };
enum class Body { ignored, json };

/// One line of the table.
struct Route {
    http::verb method;
    std::string_view path; ///< `{id}` stands for any one segment
    Authentication authentication;
    Body body;
    Handler handler;
};

class Router {
  public:
    struct Found {
        const Route* route;
        PathParameters parameters;
    };
    struct WrongMethod {
        std::string allow; ///< value of the Allow header
    };
    struct NoSuchPath {};
    using Match = std::variant<Found, WrongMethod, NoSuchPath>;

    explicit Router(std::vector<Route> routes);

    /// HEAD means GET. Where two templates fit, the one with the fewest parameters counts, whatever its
    /// methods.
    Match match(http::verb method, const std::vector<std::string>& segments) const;

    const std::vector<Route>& routes() const { return routes_; }

  private:
    std::vector<Route> routes_;
    std::vector<std::vector<std::string>> templates_; ///< segments of each route's path
};

} // namespace docmap::api
