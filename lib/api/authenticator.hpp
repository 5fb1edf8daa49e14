// Finds the user behind a request's Authorization header. Lives on the API's thread; owned by the
// application.
#pragma once

#include "api/error.hpp"
#include "ports/repositories.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace docmap::api {

/// The API key in the value of an Authorization header (RFC 6750, section 2.1): `Bearer dm_live_…`. Nothing
/// on any other text. Only the outer form is checked: which keys exist is the repository's knowledge.
std::optional<std::string_view> api_key_in(std::string_view authorization);

class Authenticator {
  public:
    explicit Authenticator(ports::ApiKeyRepository& api_keys) : api_keys_(api_keys) {}

    /// The user's id; 401 on every kind of bad key, 503 where the database is away.
    boost::asio::awaitable<ApiResult<std::string>> authenticate(std::string authorization);

  private:
    ports::ApiKeyRepository& api_keys_;
};

} // namespace docmap::api
